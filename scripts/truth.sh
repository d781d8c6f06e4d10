#!/usr/bin/env bash
# Compares what AudioMicro finds in 200 real files of every format with ffprobe, ffmpeg, fpcalc and soxi, and writes the table
# to doc/truth.md; then measures tempo and key on composed pieces, for doc/tempo-and-key.md. The files come from Debian packages (fetched once into .cache/demo, never installed, never committed);
# formats that none of them has are made of their music with ffmpeg, lame, oggenc and flac.
# Sounds beyond full scale and silence are among them. It takes about ten minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=$PWD/.cache/demo
files=$PWD/.cache/truth
. scripts/packages.sh
for t in ffmpeg ffprobe fpcalc soxi lame flac oggenc opusenc wavpack fluidsynth madplay; do
  command -v "$t" >/dev/null || {
    echo "$t is missing. On Debian: apt-get install ffmpeg libchromaprint-tools sox lame flac vorbis-tools opus-tools wavpack madplay fluidsynth fluid-soundfont-gm"
    exit 1
  }
done
for p in sonic-pi-samples minetest-data marsshooter-data sound-theme-freedesktop teeworlds-data asterisk-moh-opsound-wav \
  wesnoth-1.16-music warzone2100-music asc-music hydrogen-drumkits; do fetch "$p"; done

# take N EXT PACKAGE links N files of a kind, spread evenly over the package.
rm -rf "$files.part"; mkdir -p "$files.part"
take() {
  local n=$1 ext=$2 package=$3 all
  all=$(find -L "$cache/$package" -type f -iname "*.$ext" -size +1k | LC_ALL=C sort)
  LC_ALL=C awk -v n="$n" '{ a[NR] = $0 } END { m = n < NR ? n : NR; for (i = 0; i < m; i++) print a[1 + int(i * NR / m)] }' <<<"$all" |
    while IFS= read -r path; do
      name=$package-$(basename "$path" | tr ' ' '-')
      [ -e "$files.part/$name" ] && name=$(basename "$(dirname "$path")" | tr ' ' '-')-$name
      ln -L "$path" "$files.part/$name" 2>/dev/null || cp -L "$path" "$files.part/$name"
    done
}
take 24 flac sonic-pi-samples
take 18 ogg minetest-data
take 8 wav marsshooter-data
take 6 ogg marsshooter-data
take 12 oga sound-theme-freedesktop
take 16 wv teeworlds-data
take 5 wav asterisk-moh-opsound-wav
take 10 ogg wesnoth-1.16-music
take 9 opus warzone2100-music
take 3 mp3 asc-music
take 14 flac hydrogen-drumkits
take 18 wav hydrogen-drumkits
take 16 aiff hydrogen-drumkits

# Conversions of five pieces of music, a minute of each but one, which has its odd length.
music=$cache/wesnoth-1.16-music/usr/share/games/wesnoth/1.16/data/core/music
ff() { ffmpeg -v error -nostdin -y "$@"; }
i=0
for piece in battle breaking_the_chains elvish-theme knolls vengeful; do
  i=$((i + 1))
  src=$files.part/source.wav
  ff -i "$music/$piece.ogg" -ss 30 -t $((55 + i)).$((i * 137)) -ac 2 -ar 44100 -c:a pcm_s16le "$src"
  to() { echo "$files.part/made-$piece-$1"; }
  case $i in
    1) lame --quiet -b 128 "$src" "$(to cbr128.mp3)"; lame --quiet -V 2 "$src" "$(to v2.mp3)"
       lame --quiet -b 64 -m m "$src" "$(to mono64.mp3)"; lame --quiet -b 320 -m s "$src" "$(to stereo320.mp3)"
       lame --quiet -b 64 --resample 22.05 "$src" "$(to lsf64.mp3)"; lame --quiet --abr 70 "$src" "$(to abr70.mp3)"
       ff -i "$src" -c:a aac -b:a 128k "$(to lc.m4a)"; ff -i "$src" -c:a alac "$(to alac16.m4a)" ;;
    2) lame --quiet -V 5 --resample 48 "$src" "$(to v5-48k.mp3)"; lame --quiet -b 32 -m m --resample 16 "$src" "$(to mono32-16k.mp3)"
       ff -i "$src" -c:a libmp3lame -b:a 192k -write_xing 0 "$(to no-tag.mp3)"; ff -i "$src" -c:a libmp3lame -q:a 4 "$(to lavf.mp3)"
       oggenc -Q -q 1 "$src" -o "$(to q1.ogg)"; oggenc -Q -q 9 "$src" -o "$(to q9.ogg)"; oggenc -Q -q 3 --downmix "$src" -o "$(to mono.ogg)"
       opusenc --quiet --bitrate 64 "$src" "$(to 64.opus)"; opusenc --quiet --bitrate 24 --downmix-mono "$src" "$(to mono24.opus)" ;;
    3) flac -s -8 "$src" -o "$(to 8.flac)" 2>/dev/null; flac -s --ogg "$src" -o "$(to ogg-flac.oga)" 2>/dev/null
       ff -i "$src" -ar 96000 -sample_fmt s32 -bits_per_raw_sample 24 -c:a flac "$(to 96k24.flac)"; ff -i "$src" -ac 1 -c:a flac "$(to mono.flac)"
       ff -i "$src" -ar 192000 -c:a pcm_s24le "$(to 192k24.wav)"; ff -i "$src" -c:a pcm_f32le -af volume=6dB "$(to float-over.wav)"
       ff -i "$src" -c:a pcm_s24be "$(to 24.aiff)"; ff -i "$src" -c:a pcm_s32le "$(to 32.wav)"; ff -i "$src" -c:a pcm_u8 -ar 22050 "$(to u8.wav)" ;;
    4) ff -i "$src" -c:a pcm_s16le -rf64 always "$(to rf64.wav)"; ff -i "$src" -c:a pcm_s24le "$(to 24.w64)"
       ff -i "$src" -c:a pcm_s16le -f caf "$(to 16.caf)"; ff -i "$src" -c:a pcm_s16be -f au "$(to 16.au)"; ff -i "$src" -c:a tta "$(to 16.tta)"
       ff -i "$src" -c:a wavpack "$(to 16.wv)"; wavpack -q -b384 "$src" -o "$(to hybrid.wv)"; ff -i "$src" -c:a wmav2 -b:a 128k "$(to v2.wma)"
       ff -i "$src" -c:a aac -b:a 96k -f adts "$(to lc.aac)" ;;
    5) ff -i "$src" -filter_complex "pan=5.1|c0=c0|c1=c1|c2=.5*c0+.5*c1|c3=.2*c0|c4=.6*c0|c5=.6*c1" -c:a pcm_s16le "$(to surround.wav)"
       ff -i "$(to surround.wav)" -c:a flac "$(to surround.flac)"; oggenc -Q "$(to surround.wav)" -o "$(to surround.ogg)"; opusenc --quiet "$(to surround.wav)" "$(to surround.opus)"
       ff -i "$src" -c:a alac -sample_fmt s32p "$(to alac24.m4a)"; ff -i "$src" -c:a libopus -b:a 96k "$(to lavf.webm)"; ff -i "$src" -c:a adpcm_ms "$(to adpcm.wav)"
       ff -i "$src" -c:a pcm_mulaw -ar 8000 -ac 1 "$(to mulaw.wav)"; ff -i "$src" -af volume=-90dB -c:a pcm_s24le "$(to faint.wav)"
       ff -f lavfi -i anullsrc=r=44100:cl=stereo -t 4 -c:a flac "$(to silence.flac)" ;;
  esac
done
rm -f "$files.part/source.wav"
rm -rf "$files"; mv "$files.part" "$files"
echo "$(find "$files" -type f | wc -l) files in .cache/truth"
AUDIOMICRO_TRUTH=$files AUDIOMICRO_TRUTH_TABLE=$PWD/doc/truth.md AUDIOMICRO_MUSIC_TABLE=$PWD/doc/tempo-and-key.md \
  go test -tags truth ./internal/ingest/worker -run '^(TestTruth|TestTempoAndKey)$' -count 1 -timeout 60m -v | grep -v '^=== '
