package mp3enc

import "encoding/binary"

// infoFrame is the first frame: silence to a decoder that knows nothing of it, and to others the length of the file, a table to
// seek by, and how many samples the encoder added (Xing header with LAME's extension, gabriel.mp3-tech.org/mp3infotag.html).
type infoFrame struct {
	form    format
	bitrate int // its own, at least as large as the tag needs
	size    int
	crc     *crcTable

	frames         int64
	bytes          int64 // of the file
	music          uint16
	delay, padding int
}

const tagSize = 4 + 4 + 4 + 4 + 100 + 4 + 36

func newInfoFrame(f format) *infoFrame {
	i := &infoFrame{form: f, bitrate: f.bitrate, crc: newCRCTable()}
	for _, kbit := range f.bitrates() {
		if kbit*1000 < f.bitrate {
			continue
		}
		own := f
		own.bitrate = kbit * 1000
		i.bitrate = own.bitrate
		if i.size, _ = own.frameSize(); i.size >= 4+f.sideSize()+tagSize {
			break
		}
	}
	return i
}

func (i *infoFrame) encode() []byte {
	b := make([]byte, i.size)
	copy(b, i.form.header(i.bitrate, false, false))
	t := b[4+i.form.sideSize():]
	copy(t, "Info") // "Xing" would say that the bitrate varies
	binary.BigEndian.PutUint32(t[4:], 15)
	binary.BigEndian.PutUint32(t[8:], uint32(min(i.frames, 1<<32-1)))
	binary.BigEndian.PutUint32(t[12:], uint32(min(i.bytes, 1<<32-1)))
	for k := range 100 { // at k percent of the time lies this 256th of the bytes
		t[16+k] = byte(k * 256 / 100)
	}
	// The quality (0 to 100) means nothing between encoders; LAME writes what its -q 5 comes to.
	binary.BigEndian.PutUint32(t[116:], 50)
	l := t[120:]
	// Decoders look for LAME's name, and some for nothing else, before they believe the delay and padding.
	copy(l, "LAMEAM1.0")
	l[9] = 1                                                                                   // tag revision 0, constant bitrate
	l[10] = byte(bandwidth(Options{Channels: i.form.channels, Bitrate: i.form.bitrate}) / 100) // lowpass
	l[20] = byte(min(i.form.bitrate/1000, 255))
	l[21], l[22], l[23] = byte(i.delay>>4), byte(i.delay<<4|i.padding>>8), byte(i.padding)
	l[24] = 1 << 2 // stereo mode
	if i.form.channels == 2 {
		l[24] = 3 << 2 // joint
	}
	binary.BigEndian.PutUint32(l[28:], uint32(min(i.bytes, 1<<32-1)))
	binary.BigEndian.PutUint16(l[32:], i.music)
	binary.BigEndian.PutUint16(l[34:], i.crc.add(0, b[:4+i.form.sideSize()+tagSize-2]))
	return b
}

// crcTable has what each byte makes of a CRC of polynomial x^16+x^15+x^2+1, lowest bit first, as the tag has it.
type crcTable [256]uint16

func newCRCTable() *crcTable {
	t := &crcTable{}
	for i := range t {
		crc := uint16(i)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xa001
			} else {
				crc >>= 1
			}
		}
		t[i] = crc
	}
	return t
}

// add goes on with a CRC.
func (t *crcTable) add(crc uint16, b []byte) uint16 {
	for _, v := range b {
		crc = crc>>8 ^ t[byte(crc)^v]
	}
	return crc
}
