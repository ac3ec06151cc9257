//! The bodies of the fuzz targets for media formats. `cargo fuzz` and `tests/hostile_media.rs` share
//! this file. A body panics if a required property does not hold, and returns whether the input passed
//! its first parser.

#![allow(dead_code, reason = "each fuzz target uses one of these")]
#![allow(clippy::unwrap_used, reason = "a panic is how a target tells of a fault")]

use std::io;

use bytes::Bytes;
use onair::media::FrameRate;
use onair::media::frame::Color;
use onair::wire::codec;
use onair::wire::codec::aac::{AudioSpecificConfig, adts};
use onair::wire::codec::h264;
use onair::wire::codec::h264::{
    DecoderConfig, Pps, Sps, VuiChanges, annexb_nals, annexb_to_avcc, avcc_nals, nals_to_annexb,
    rewrite_sps_vui,
};
use onair::wire::codec::vorbis;
use onair::wire::container::audio;
use onair::wire::container::flv::{
    Demuxer, Reader, TagContent, default_track, parse_audio, parse_video,
};
use onair::wire::container::ts;
use onair::wire::container::{self, Error, Format, ReadAt, SampleLocation, Unit, read_around};
use onair::wire::hls;

/// FLV files: any bytes, split anywhere, give the same tags, and no tag is longer than the input.
pub fn flv(data: &[u8]) -> bool {
    let Some((&cut, data)) = data.split_first() else { return false };
    let read = |cut: usize| {
        let (mut demuxer, mut tags) = (Demuxer::new(), Vec::new());
        for part in data.chunks(cut.max(1)) {
            demuxer.push(part);
            loop {
                match demuxer.next_tag() {
                    Ok(Some(tag)) => tags.push(tag),
                    Ok(None) => break,
                    Err(_) => return tags,
                }
            }
        }
        tags
    };
    let tags = read(data.len());
    assert!(tags == read(cut.into()), "the same however it is cut");
    assert!(tags.iter().map(|tag| tag.body.len()).sum::<usize>() <= data.len());
    let mut reader = Reader::new(|_| true);
    for tag in &tags {
        let read = reader.read(tag.clone());
        assert!(read.content == TagContent::of(tag.kind, &tag.body), "the same by either way");
        let _ = (parse_video(&tag.body), parse_audio(&tag.body));
        let one = default_track(tag.kind, &tag.body, cut);
        assert!(one.is_none_or(|one| one.len() <= tag.body.len()), "one track is no more than all");
    }
    !tags.is_empty()
}

/// H.264 and AAC headers: headers that can be read can be written, and are then read with the same
/// result.
pub fn sps(data: &[u8]) -> bool {
    let bytes = Bytes::copy_from_slice(data);
    let _ = (codec::hevc(data), codec::av1(data), codec::vp9(data));
    let _ = (codec::vp9_key_size(data), codec::opus(data), codec::flac(data));
    let _ = codec::ac3(data);
    let _ = (Pps::parse(data, None), adts::parse(data));
    let sps = Sps::parse_for_decoding(data);
    if let Ok(sps) = &sps {
        let changes = VuiChanges {
            color: Some(Color::PROGRAM),
            frame_rate: Some(FrameRate::FPS_30),
            no_reordering: true,
        };
        let rewritten = rewrite_sps_vui(data, &changes).unwrap();
        let again = Sps::parse(&rewritten).unwrap();
        assert_eq!((again.width, again.height), (sps.width, sps.height));
        assert_eq!(again.frame_rate(), Some((30, 1)));
    }
    if let Ok(record) = DecoderConfig::parse(&bytes) {
        let again = DecoderConfig::parse(&record.build().unwrap()).unwrap();
        assert_eq!((again.sps, again.pps), (record.sps, record.pps));
    }
    if let Ok(config) = AudioSpecificConfig::parse(data)
        && let Ok(built) = config.build()
        && config.channel_config != 0
        && !matches!(config.object_type, 6 | 17..=42)
        && config.object_type < 5
    {
        assert_eq!(AudioSpecificConfig::parse(&built).unwrap(), config);
    }
    for length_size in 0..=5 {
        assert!(avcc_nals(data, length_size).count() <= data.len() + 1);
    }
    let nals: Vec<_> = annexb_nals(data).collect();
    let avcc = annexb_to_avcc(data, |_| true).unwrap();
    let packed: Vec<_> = avcc_nals(&avcc, 4).map(Result::unwrap).collect();
    assert_eq!(nals, packed);
    let annexb = nals_to_annexb(packed.iter().copied());
    assert_eq!(nals, annexb_nals(&annexb).collect::<Vec<_>>());
    let escaped = h264::escape(data);
    assert_eq!(h264::unescape(&escaped), data);
    sps.is_ok()
}

/// Transport streams: any bytes, split anywhere, give the same events, and the demuxer never
/// buffers more than it received.
pub fn ts(data: &[u8]) -> bool {
    let Some((&cut, data)) = data.split_first() else { return false };
    let read = |cut: usize| {
        let (mut demuxer, mut events, mut came) = (ts::Demuxer::new(), Vec::new(), 0);
        for part in data.chunks(cut.max(1)) {
            came += part.len();
            demuxer.push(part, &mut |event| events.push(event));
            assert!(demuxer.held() <= came, "no more than came");
        }
        demuxer.finish(&mut |event| events.push(event));
        events
    };
    let events = read(data.len());
    assert!(events == read(cut.into()), "the same however it is cut");
    let sound: usize = events
        .iter()
        .map(|event| match event {
            ts::Event::Audio { data, .. } => data.len(),
            _ => 0,
        })
        .sum();
    assert!(sound <= data.len(), "no sound out of nothing");
    !events.is_empty()
}

/// Playlists: each is read or rejected, and its numbers are consistent.
pub fn hls(data: &[u8]) -> bool {
    let Ok(hls::Playlist::Media(media)) = hls::parse(data) else { return false };
    for distance in [0, 5, 1_000] {
        let at = media.before_end(std::time::Duration::from_secs(distance));
        assert!(at >= media.sequence && at <= media.end().max(media.sequence));
    }
    let _ = (media.duration(), media.from(media.sequence));
    assert!(media.segment(media.end()).is_none() || media.end() == u64::MAX);
    true
}

/// Audio-only files: all packets are inside the file, in order, and the audible span is not empty.
pub fn sound(data: &[u8]) -> bool {
    let mut file = data;
    let known = audio::kind(&mut file).unwrap();
    let Ok(index) = audio::index(&mut file) else { return false };
    assert!(known.is_some(), "what is of no kind is not read");
    assert!(!index.samples.is_empty() && index.samples.len() <= data.len());
    let (begins, ends) = index.audible_span.unwrap();
    assert!(begins < ends);
    for pair in index.samples.windows(2) {
        assert!(pair[0].at < pair[1].at, "in the order of the file");
        let joint = index.links.iter().any(|link| link.at == pair[1].at);
        assert!(joint || pair[0].pts <= pair[1].pts, "in their time");
    }
    for link in &index.links {
        assert!((begins..=ends).contains(&link.audible_from));
        assert!(index.samples.iter().any(|place| place.at == link.at));
    }
    assert!(
        index
            .links
            .is_sorted_by(|one, next| one.at < next.at && one.audible_from <= next.audible_from)
    );
    for place in &index.samples {
        let packet = read_around(&mut file, place, &index.holes, data.len()).unwrap();
        assert!(packet.len() <= place.size as usize);
        assert!(place.at + u64::from(place.size) <= data.len() as u64);
    }
    let configs = index.tracks.audio.iter().map(|audio| &audio.config);
    for config in configs.chain(index.links.iter().map(|link| &link.config)) {
        let _ = vorbis::Blocks::of(&config.codec_config);
    }
    true
}

/// A media file on a web server: its claimed length, and the bytes that have arrived.
struct Coming<'a> {
    bytes: &'a [u8],
    size: u64,
    /// The ranges of bytes that have arrived. Each request delivers at most `cut` more bytes.
    came: Vec<(u64, u64)>,
    cut: u64,
    wanted: Option<(u64, u64)>,
    /// The number of requests that are still allowed.
    left: usize,
}

impl ReadAt for Coming<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = self.end(at, buffer.len())?;
        let first = (at..end).find(|at| !self.came.iter().any(|it| (it.0..it.1).contains(at)));
        // Bytes that the server never delivers count as the end of the file, like an interrupted
        // connection.
        let Some(first) = first.filter(|_| end <= self.bytes.len() as u64) else {
            return self.bytes.read_at(at, buffer);
        };
        self.wanted = Some((first, end));
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn most(&self) -> usize {
        1 << 20
    }
}

impl Coming<'_> {
    /// Repeats a call with more bytes each time that some are missing.
    fn patiently<T>(&mut self, mut it: impl FnMut(&mut Self) -> Result<T, Error>) -> Option<T> {
        loop {
            match it(self) {
                Err(error) if error.is_missing() => {
                    let (from, end) = self.wanted.take().expect("something is missing");
                    assert!(from < end && end <= self.size, "what is missing is a part of it");
                    self.left = self.left.checked_sub(1).expect("it goes round and round");
                    let until = end.min(from.saturating_add(self.cut));
                    match self.came.iter_mut().find(|it| it.1 == from) {
                        Some(before) => before.1 = until,
                        None => self.came.push((from, until)),
                    }
                }
                done => return done.ok(),
            }
        }
    }

    /// Returns all samples from the current position on.
    fn rest(&mut self, film: &mut Box<dyn container::Demuxer>) -> Vec<SampleLocation> {
        let mut found = Vec::new();
        while self.patiently(|it| film.read_on(it, &mut found)) == Some(true) {
            self.left = self.left.checked_sub(1).expect("it has no end");
        }
        found
    }
}

/// MP4 and Matroska files that are read while they arrive: regardless of how the bytes are split and which
/// length the server claims, reading ends, with the same result.
pub fn film(data: &[u8]) -> bool {
    let Some((&[cut, longer, at], data)) = data.split_first_chunk() else { return false };
    let Some(format) = Format::of_bytes(data) else { return false };
    let size = match longer {
        // The actual length, a somewhat larger one, or an unknown one.
        0..=127 => data.len() as u64,
        128..=191 => data.len() as u64 + u64::from(longer),
        _ => u64::MAX / 4,
    };
    let read = |cut: u64| {
        let (came, left) = (Vec::new(), 64 + 16 * data.len());
        let mut coming = Coming { bytes: data, size, came, cut, wanted: None, left };
        let mut film = coming.patiently(|it| container::open(Some(format), it))?;
        coming.patiently(|it| film.head(it))?;
        let whole = film.is_whole().then(|| film.index().samples.clone());
        let found = whole.unwrap_or_else(|| coming.rest(&mut film));
        coming.patiently(|it| film.look_up(it));
        Some((film, found, coming.left))
    };
    let Some((mut film, found, left)) = read(u64::MAX) else {
        assert!(
            read(u64::from(cut).max(1)).is_none(),
            "what cannot be read at once cannot be read"
        );
        return false;
    };
    let (other, bit_by_bit, _) = read(u64::from(cut).max(1)).expect("the same however it is cut");
    // Decoding times are not compared, because they depend on the number of known frames.
    let plain = |found: &[SampleLocation]| -> Vec<_> {
        let mut found: Vec<_> = found.iter().map(|it| (it.at, it.size, it.track, it.pts)).collect();
        found.sort_unstable();
        found
    };
    assert_eq!(plain(&bit_by_bit), plain(&found), "the same however it is cut");
    assert!(other.index().tracks == film.index().tracks && other.units() == film.units());
    for place in &found {
        assert!(place.at.saturating_add(place.size.into()) <= size, "a sample is in the file");
    }
    let units = film.units_in(data, 0);
    assert!(units.len() <= data.len());
    let anywhere = Unit { time: onair::base::Timestamp::MAX, at: u64::from(at) };
    for unit in units.into_iter().take(8).chain([anywhere, film.beginning()]) {
        let mut coming = Coming {
            bytes: data,
            size,
            came: Vec::new(),
            cut: u64::MAX,
            wanted: None,
            left: left + 64,
        };
        film.go_to(unit);
        coming.rest(&mut film);
    }
    true
}
