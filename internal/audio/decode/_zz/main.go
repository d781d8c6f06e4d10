package main
import ("fmt";"os";"io";"math";"bufio";"encoding/binary";"os/exec";"time";"errors"
"audiomicro/internal/audio/decode";"audiomicro/internal/audio/sniff")
func main(){
 for _,fn:=range os.Args[1:]{
  f,_:=os.Open(fn); st,_:=f.Stat(); head:=make([]byte,65536); n,_:=io.ReadFull(f,head); f.Seek(0,0)
  k,err:=sniff.Detect(head[:n]); if err!=nil{fmt.Println(fn,err);continue}
  t:=time.Now()
  d,err:=decode.Open(f,k,decode.Options{Size:st.Size(),FFmpegPath:os.Getenv("FF")}); if err!=nil{fmt.Println(fn,k,err);continue}
  var all []float32; var cnt int64
  nocmp:=os.Getenv("NOCMP")!=""
  for{ b,err:=d.Next(); if len(b)>0{ cnt+=int64(len(b[0])); if !nocmp{ for i:=range b[0]{ for c:=range b{all=append(all,b[c][i])}}}}
   if err!=nil{ if !errors.Is(err,io.EOF){fmt.Println("  ERR",err)}; break}}
  el:=time.Since(t); i:=d.Info()
  fmt.Printf("%s %+v frames=%d %.0fx ",fn,i,cnt,float64(cnt)/float64(i.SampleRate)/el.Seconds())
  if nocmp{fmt.Println();continue}
  cmd:=exec.Command("ffmpeg","-v","error","-nostdin","-i",fn,"-map","0:a:0","-f","f32le","-"); o,_:=cmd.StdoutPipe(); cmd.Start()
  br:=bufio.NewReaderSize(o,1<<20); var buf [4]byte; lastf:=-1; mx:=0.0; idx:=-1; m:=0
  for{ if _,err:=io.ReadFull(br,buf[:]);err!=nil{break}; v:=math.Float32frombits(binary.LittleEndian.Uint32(buf[:])); if m<len(all){ df:=math.Abs(float64(v-all[m])); if df>mx{mx=df;idx=m}; if df>1e-4 && os.Getenv("V")!="" {fr:=(m/i.Channels+1105)/576; if fr!=lastf{lastf=fr;fmt.Println("gr",fr,"ch",m%i.Channels,df)}}}; m++}
  cmd.Wait()
  fmt.Printf("ff=%d dlen=%d maxdiff=%.2g at %d\n",m/i.Channels,cnt-int64(m/i.Channels),mx,idx/i.Channels)
 }}
