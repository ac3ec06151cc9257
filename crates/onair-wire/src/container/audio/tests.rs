//! Tests with audio-only files that are built, truncated and mutated.

use proptest::prelude::*;

use super::*;
use crate::base::Timestamp;
use crate::media::AudioCodec;
use crate::wire::codec::vorbis;
use crate::wire::container::audio::ogg::MAX_CONTINUED_PAGES;
use crate::wire::container::{Hole, SampleLocation, TrackId, read_around};

/// Creates an MP3 frame of 128 kbit/s, 44.1 kHz.
pub(super) fn mp3_frame(fill: u8) -> Vec<u8> {
    let mut frame = vec![fill; 417];
    frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x90, 0x64]);
    frame
}

pub(super) fn id3(size: usize) -> Vec<u8> {
    let part = |shift: usize| (size >> shift & 0x7F) as u8;
    let mut tag = b"ID3\x04\0\0".to_vec();
    tag.extend([part(21), part(14), part(7), part(0)]);
    tag.resize(10 + size, 0xFF);
    tag
}

fn look(file: &[u8]) -> Result<Index, Error> {
    let mut source = file;
    index(&mut source)
}

fn micros(index: &Index) -> (i64, i64) {
    let (first, end) = index.audible_span.unwrap();
    (first.as_micros(), end.as_micros())
}

#[test]
fn mp3_behind_a_tag_lasts_as_its_frames_do() {
    let mut file = id3(200_000);
    for number in 0..50 {
        file.extend(mp3_frame(number));
    }
    file.extend(b"TAG");
    file.resize(file.len() + 125, b' ');
    let index = look(&file).unwrap();
    assert_eq!(kind(&mut file.as_slice()).unwrap(), Some((Kind::Mp3, 200_010)));
    assert_eq!(index.samples.len(), 50);
    assert_eq!((index.samples[0].at, index.samples[0].size), (200_010, 417));
    assert_eq!(micros(&index), (0, 50 * 1_152 * 1_000_000 / 44_100));
    // Noise in the middle is skipped; the truncated frame is ignored.
    let at = 200_010 + 417 * 20;
    file.splice(at..at, [0xFF, 0xFB, 7, 7, 7]);
    assert_eq!(look(&file).unwrap().samples.len(), 50);
    let cut = look(&file[..at + 417 * 3]).unwrap();
    assert_eq!((cut.samples.len(), cut.finished), (22, false));
}

#[test]
fn padding_that_an_mp3_encoder_adds_is_not_played() {
    let mut file = mp3_frame(0);
    file[36..40].copy_from_slice(b"Info");
    file[40..44].copy_from_slice(&15_u32.to_be_bytes());
    file[156..160].copy_from_slice(b"LAME");
    // 576 samples of padding before the audio, 1,000 after it.
    file[177..180].copy_from_slice(&[0x24, 0x03, 0xE8]);
    for number in 0..20 {
        file.extend(mp3_frame(number));
    }
    let index = look(&file).unwrap();
    assert_eq!(index.samples.len(), 20, "the first frame is none");
    let time = |samples: i64| samples * 1_000_000 / 44_100;
    assert_eq!(micros(&index), (time(576 + 529), time(20 * 1_152 - 1_000 + 529)));
}

#[test]
fn adts_is_read_without_its_headers() {
    let config = crate::wire::codec::aac::AudioSpecificConfig::lc(48_000, 2).unwrap();
    let mut file = id3(300);
    for number in 0..10_u8 {
        let header = crate::wire::codec::aac::adts::header(&config, 100).unwrap();
        file.extend(header);
        file.extend([number; 100]);
    }
    let index = look(&file).unwrap();
    assert_eq!(kind(&mut file.as_slice()).unwrap().unwrap().0, Kind::Adts);
    let audio = &index.tracks.audio[0].config;
    assert_eq!((audio.codec, audio.sample_rate, audio.channels), (AudioCodec::Aac, 48_000, 2));
    assert_eq!(audio.codec_config, config.build().unwrap());
    assert_eq!((index.samples.len(), index.samples[1].at, index.samples[1].size), (10, 424, 100));
    assert_eq!(micros(&index), (0, 213_333));
}

/// Creates a WAV file in stereo at 44.1 kHz with this many bits and samples per channel, and other
/// chunks before the audio.
pub(super) fn wav(bits: u16, before: &[u8], samples: u32) -> Vec<u8> {
    let frame = bits / 8 * 2;
    let mut file = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x44\xAC\0\0".to_vec();
    file.extend((44_100 * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(before);
    file.extend(b"data");
    file.extend((samples * u32::from(frame)).to_le_bytes());
    file.extend((0..samples * u32::from(frame)).map(|it| it as u8));
    file
}

#[test]
fn wav_is_read_in_packets_of_a_fiftieth_of_a_second() {
    // A pad byte follows a chunk of odd length.
    let file = wav(24, b"LIST\x03\0\0\0abc\0", 44_100);
    let index = look(&file).unwrap();
    assert_eq!(kind(&mut file.as_slice()).unwrap(), Some((Kind::Wav, 0)));
    let audio = &index.tracks.audio[0].config;
    assert_eq!((audio.codec, audio.sample_rate, audio.channels), (AudioCodec::Pcm, 44_100, 2));
    assert_eq!((index.samples.len(), index.samples[0].at, index.samples[0].size), (50, 56, 5_292));
    assert_eq!(micros(&index), (0, 1_000_000));
    assert!(index.finished);
    // A file cut within a value; an unknown length; a length of 64 bits.
    let cut = look(&file[..56 + 6_000]).unwrap();
    assert_eq!((cut.samples.len(), cut.samples[1].size, cut.finished), (2, 708, false));
    for length in [0, u32::MAX] {
        let mut file = wav(16, &[], 4_410);
        file[40..44].copy_from_slice(&length.to_le_bytes());
        assert_eq!(micros(&look(&file).unwrap()), (0, 100_000));
    }
    let sizes = [&b"ds64\x1C\0\0\0"[..], &[0; 8], &8_820_u64.to_le_bytes(), &[0; 12]].concat();
    let mut file = wav(16, &sizes, 4_410);
    file[..4].copy_from_slice(b"RF64");
    let at = 36 + sizes.len() + 4;
    file[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(micros(&look(&file).unwrap()), (0, 50_000));
    // Another kind of audio, no format, nothing after the headers.
    let mut other = wav(16, &[], 10);
    other[20] = 2;
    assert!(matches!(look(&other), Err(Error::Unsupported(_))), "{:?}", look(&other));
    other[12] = b'x';
    assert!(matches!(look(&other), Err(Error::Damaged(_))), "{:?}", look(&other));
    assert!(look(&wav(16, &[], 0)).is_err());
}

/// Creates a FLAC frame of 4,096 samples with noise.
pub(super) fn flac_frame(number: u8) -> Vec<u8> {
    let mut frame = vec![0xFF, 0xF8, 0xC9, 0x18, number];
    let sum = frame.iter().fold(0_u8, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum, _| if sum & 0x80 == 0 { sum << 1 } else { sum << 1 ^ 7 })
    });
    frame.push(sum);
    frame.extend((0..900_u32).map(|it| (it * 77 + u32::from(number)) as u8));
    // Looks like a frame, but with another position.
    frame.extend([0xFF, 0xF8, 0xC9, 0x18, 99]);
    frame
}

pub(super) fn stream_info(samples: u32) -> Vec<u8> {
    let mut info = vec![0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x0A, 0xC4, 0x42, 0xF0];
    info.extend(samples.to_be_bytes());
    info.resize(34, 0);
    info
}

#[test]
fn frames_of_flac_are_found_by_their_numbers() {
    let mut file = b"fLaC\x00\x00\x00\x22".to_vec();
    file.extend(stream_info(40_000));
    file.extend([0x84, 0, 0, 8]);
    file.extend(b"comments");
    let begin = file.len();
    for number in 0..10 {
        file.extend(flac_frame(number));
    }
    let index = look(&file).unwrap();
    assert_eq!(index.samples.len(), 10);
    assert!(index.samples.iter().all(|place| place.size == 911), "{:?}", index.samples);
    assert_eq!(index.samples[9].pts.as_micros(), 9 * 4_096 * 1_000_000 / 44_100);
    assert_eq!(micros(&index), (0, 40_000 * 1_000_000 / 44_100));
    // A frame with a damaged header is missing, and the frames after it keep their positions.
    file[begin + 911 * 4 + 2] = 0;
    let index = look(&file).unwrap();
    assert_eq!(index.samples.len(), 9);
    assert_eq!(index.samples[4].pts.as_micros(), 5 * 4_096 * 1_000_000 / 44_100);
    assert_eq!(look(&file[..begin + 1_000]).unwrap().samples.len(), 2);
    assert!(look(&file[..begin]).is_err());
}

pub(super) fn page(flags: u8, granule: i64, serial: u32, table: &[u8], data: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0".to_vec();
    page.push(flags);
    page.extend(granule.to_le_bytes());
    page.extend(serial.to_le_bytes());
    page.extend([0; 8]);
    page.push(table.len() as u8);
    page.extend(table);
    page.extend(data);
    page
}

pub(super) fn opus_head() -> Vec<u8> {
    let mut head = b"OpusHead\x01\x02".to_vec();
    head.extend(312_u16.to_le_bytes());
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0; 3]);
    head
}

#[test]
fn packets_of_ogg_are_put_together_out_of_pages() {
    let mut file = page(2, 0, 9, &[4], b"what");
    file.extend(page(2, 0, 7, &[19], &opus_head()));
    // The comments continue over several pages; another stream is between them.
    file.extend(page(0, -1, 7, &[255], &[b"OpusTags".as_slice(), &[1; 247]].concat()));
    file.extend(page(0, 0, 9, &[3], b"abc"));
    file.extend(page(1, 0, 7, &[5], b"texts"));
    // Packets of 20 ms each; the third continues in the next page.
    let packet = |number: u8, length: usize| {
        let mut packet = vec![number; length];
        packet[0] = 0xF8;
        packet
    };
    let data = [packet(1, 10), packet(2, 20), packet(3, 255)].concat();
    file.extend(page(0, 1_920, 7, &[10, 20, 255], &data));
    file.extend(page(0, 0, 9, &[3], b"abc"));
    file.extend(b"noise between pages");
    file.extend(page(5, 2_800, 7, &[45], &[3; 45]));
    let index = look(&file).unwrap();
    assert_eq!(index.tracks.audio[0].config.codec, AudioCodec::Opus);
    let mut source = file.as_slice();
    let packets: Vec<Vec<u8>> = index
        .samples
        .iter()
        .map(|place| read_around(&mut source, place, &index.holes, 1_000).unwrap())
        .collect();
    assert_eq!(packets, [packet(1, 10), packet(2, 20), packet(3, 300)]);
    let time = |samples: i64| samples * 1_000_000 / 48_000;
    assert_eq!(micros(&index), (time(312), time(2_800)));
    assert_eq!(index.samples[2].pts.as_micros(), 40_000);
    assert!(matches!(look(&page(2, 0, 9, &[4], b"what")), Err(Error::Unsupported(_))));
    assert!(look(&file[..file.len() - 500]).is_err(), "no packet is whole");
}

#[test]
fn a_packet_in_too_many_pages_of_ogg_is_skipped() {
    // A page without segments adds nothing to the packet that it continues.
    let file = |continued: usize| {
        let mut file = page(2, 0, 7, &[19], &opus_head());
        file.extend(page(0, 0, 7, &[8], b"OpusTags"));
        file.extend(page(0, -1, 7, &[255], &[0xF8; 255]));
        (1..continued).for_each(|_| file.extend(page(1, -1, 7, &[], b"")));
        file.extend(page(1, 960, 7, &[45], &[0xF8; 45]));
        file.extend(page(4, 1_920, 7, &[10], &[0xF8; 10]));
        file
    };
    assert_eq!(look(&file(MAX_CONTINUED_PAGES)).unwrap().samples.len(), 2);
    let index = look(&file(MAX_CONTINUED_PAGES + 1)).unwrap();
    let sizes: Vec<u32> = index.samples.iter().map(|place| place.size).collect();
    assert_eq!(sizes, [10]);
}

/// Creates an Opus stream: its headers and three packets with 2,488 audible samples.
pub(super) fn opus_stream(serial: u32, fill: u8) -> Vec<u8> {
    let mut head = opus_head();
    head[9] = 1 + fill % 2;
    let mut file = page(2, 0, serial, &[19], &head);
    file.extend(page(0, 0, serial, &[8], b"OpusTags"));
    let mut data = vec![fill; 30];
    (data[0], data[10], data[20]) = (0xF8, 0xF8, 0xF8);
    file.extend(page(4, 2_800, serial, &[10, 10, 10], &data));
    file
}

#[test]
fn streams_of_ogg_that_follow_each_other_are_one_after_the_other() {
    let streams = [opus_stream(7, 0), opus_stream(8, 1), opus_stream(7, 1)];
    let file = streams.concat();
    let index = look(&file).unwrap();
    let time = |samples: i64| samples * 1_000_000 / 48_000;
    assert_eq!(index.samples.len(), 9);
    let (begins, ends) = micros(&index);
    assert_eq!(begins, time(312));
    assert!((ends - time(312 + 3 * 2_488)).abs() < 10, "{ends}");
    // The audio of each stream begins where the previous one ends; its packets begin earlier by the pre-roll.
    assert_eq!(index.links.len(), 2);
    for (number, link) in (1..).zip(&index.links) {
        let starts_at = link.audible_from.as_micros();
        assert!((starts_at - time(312 + number * 2_488)).abs() < 10, "{starts_at}");
        let first = index.samples.iter().find(|place| place.at >= link.at).unwrap();
        assert_eq!(first.at, link.at);
        assert!((first.pts.as_micros() - (starts_at - time(312))).abs() < 10, "{first:?}");
        assert_eq!((link.config.channels, link.config.codec), (2, AudioCodec::Opus));
    }
    assert_eq!(index.tracks.audio[0].config.channels, 1);

    // A stream without an end flag, an empty one, and one with another codec between them.
    let mut cut = streams[0].clone();
    let last = cut.len() - 30 - 27 - 3;
    assert_eq!(cut[last..last + 4], *b"OggS");
    cut[last + 5] = 0;
    let mute = page(6, 0, 5, &[19], &opus_head());
    let other = page(2, 0, 9, &[4], b"what");
    let file = [cut, mute, other, streams[1].clone()].concat();
    let index = look(&file).unwrap();
    assert_eq!((index.samples.len(), index.links.len()), (6, 1));
    // The first usable stream starts the file.
    let file = [page(6, 0, 5, &[19], &opus_head()), streams[1].clone()].concat();
    let index = look(&file).unwrap();
    assert_eq!((index.samples.len(), index.links.len()), (3, 0));
    assert_eq!(index.tracks.audio[0].config.channels, 2);
}

#[test]
fn holes_are_skipped_and_bounded() {
    let place = SampleLocation {
        track: TrackId::Audio(0),
        keyframe: true,
        dts: Timestamp::ZERO,
        pts: Timestamp::ZERO,
        at: 2,
        size: 6,
    };
    let holes = [Hole { at: 0, size: 1 }, Hole { at: 4, size: 2 }, Hole { at: 9, size: 1 }];
    let mut bytes = b"0123456789".as_slice();
    assert_eq!(read_around(&mut bytes, &place, &holes, 4).unwrap(), b"2367");
    assert!(read_around(&mut bytes, &place, &holes, 3).is_err());
    assert!(read_around(&mut bytes, &SampleLocation { at: 8, ..place }, &holes, 9).is_err());
}

#[test]
fn other_files_are_none_of_these() {
    for file in
        [b"".as_slice(), b"FLV\x01", b"RIFF....AVI ", &[0xFF; 5_000], &id3(50), b"no clip at all"]
    {
        assert!(matches!(look(file), Err(Error::UnknownFormat)), "{:?}", look(file));
    }
    // A tag that claims more bytes than the file has.
    assert!(look(b"ID3\x04\0\0\x7F\x7F\x7F\x7F").is_err());
}

pub(super) fn whole(kind: u8) -> Vec<u8> {
    match kind % 5 {
        4 => wav(16, &[], 2_000),
        0 => (0..6).flat_map(mp3_frame).collect(),
        1 => {
            let mut file = b"fLaC\x80\x00\x00\x22".to_vec();
            file.extend(stream_info(40_000));
            (0..6).for_each(|number| file.extend(flac_frame(number)));
            file
        }
        2 => {
            let mut file = page(2, 0, 7, &[19], &opus_head());
            for number in 0..9_i64 {
                let data = [vec![0xF8; 300], vec![0xF8; 30]].concat();
                file.extend(page(0, 1_920 * number, 7, &[255, 45, 30], &data));
            }
            file
        }
        _ => {
            let mut file = page(2, 0, 7, &[30], &[b"\x01vorbis".as_slice(), &[0x12; 23]].concat());
            for number in 0..9 {
                let data = [b"\x05vorbis".as_slice(), &[number; 60]].concat();
                file.extend(page(0, 10, 7, &[67], &data));
            }
            file
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_looked_at(
        kind in any::<u8>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        noise in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut file = whole(kind);
        for (place, value) in changes {
            *place.get_mut(&mut file) = value;
        }
        file.truncate(cut.index(file.len()) + 1);
        file.extend(&noise);
        for bytes in [file.as_slice(), &noise] {
            let mut source = bytes;
            if let Ok(index) = look(bytes) {
                for place in &index.samples {
                    let _ = read_around(&mut source, place, &index.holes, 1 << 20);
                }
            }
            let _ = (vorbis::unlaced(bytes), vorbis::Blocks::of(bytes));
        }
    }
}
