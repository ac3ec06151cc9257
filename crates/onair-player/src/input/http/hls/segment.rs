//! Converts the content of a segment to stream events: a transport stream, an MP4 fragment, or
//! packed AAC.

use bytes::{Bytes, BytesMut};

use crate::files::samples;
use crate::media::{StreamEvent, Track};
use crate::player::demux::file_samples;
use crate::player::input::http::hls::decrypt::Decryption;
use crate::player::input::http::pull_error::PullError;
use crate::player::state::{Failure, FailureKind};
use crate::problems::ToProblem;
use crate::text::problem::problem;
use crate::wire::container::ts::{self, Demuxer, Event, StreamEvents};
use crate::wire::container::{Error, mp4};

/// The first frame must end within this many bytes, the size of the largest frame.
const MAX_INSPECTED_BYTES: usize = 4 << 20;

/// Demuxes segments in order.
#[derive(Debug, Default)]
pub(super) struct SegmentReader {
    ts: Demuxer,
    events: StreamEvents,
    /// The last initialization segment.
    map: Option<Bytes>,
    /// DTS of the last packet in microseconds.
    last: i64,
    /// True if video and audio of the MPEG-TS are sample-encrypted.
    encrypted: bool,
}

impl SegmentReader {
    /// Restarts, because the next data does not continue the previous data.
    pub fn restart(&mut self) {
        (self.ts, self.events) = (Demuxer::new(), StreamEvents::default());
        (self.map, self.encrypted) = (None, false);
    }

    /// Reads the events of a segment, after its initialization segment if any. For a part (`whole`
    /// is false), incomplete data is returned with the next part. `decryption` decrypts the
    /// segment.
    pub fn read(
        &mut self,
        data: &Bytes,
        map: Option<&Bytes>,
        whole: bool,
        decryption: Option<&Decryption>,
    ) -> Result<Vec<StreamEvent>, PullError> {
        let mut out = Vec::new();
        let fragment = matches!(
            data.get(4..8),
            Some(b"styp" | b"moof" | b"sidx" | b"ftyp" | b"emsg" | b"prft")
        );
        if map.is_some() || fragment {
            self.fragment(data, map, decryption, &mut out)?;
        } else if data.first() == Some(&0x47) {
            self.transport(data, whole, decryption, &mut out)?;
        } else if data.starts_with(b"ID3") || data.first() == Some(&0xFF) {
            self.packed(data, &mut out);
        } else if data.starts_with(b"WEBVTT") {
            // Text, such as an error page.
        } else {
            let page = data.first() == Some(&b'<');
            return Err(PullError::no_stream(match page {
                true => problem!("play-segment-is-page"),
                false => problem!("play-segment-unknown"),
            }));
        }
        if let Some(last) = out.iter().rev().find_map(StreamEvent::dts) {
            self.last = last.as_micros();
        }
        Ok(out)
    }

    /// Begins a new stream with the next segment, so that its configs are returned again.
    pub fn begin_anew(&mut self) {
        self.events = StreamEvents::default();
    }

    fn transport(
        &mut self,
        data: &Bytes,
        whole: bool,
        decryption: Option<&Decryption>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), PullError> {
        let mut scrambled = false;
        let Self { ts, events, encrypted, .. } = self;
        let mut take = |event: Event| {
            scrambled |=
                event == Event::Scrambled || event == Event::Encrypted && decryption.is_none();
            *encrypted |= event == Event::Encrypted;
            let event = match decryption.filter(|_| *encrypted) {
                Some(decryption) => open(event, decryption),
                None => event,
            };
            events.take(event, &mut |event| out.push(event));
        };
        ts.push(data, &mut take);
        if whole {
            // A segment is complete in itself.
            ts.finish(&mut take);
        }
        if scrambled {
            return Err(PullError::no_stream(problem!("play-segment-encrypted")));
        }
        Ok(())
    }

    fn fragment(
        &mut self,
        data: &Bytes,
        map: Option<&Bytes>,
        decryption: Option<&Decryption>,
        out: &mut Vec<StreamEvent>,
    ) -> Result<(), PullError> {
        let empty = Bytes::new();
        let map = map.unwrap_or(&empty);
        let mut whole = BytesMut::with_capacity(map.len() + data.len());
        whole.extend_from_slice(map);
        whole.extend_from_slice(data);
        let fresh = self.map.as_ref() != Some(map);
        let mut take = |event| out.push(event);
        fragments(whole.freeze(), fresh, decryption, &mut take)?;
        self.map = Some(map.clone());
        Ok(())
    }

    /// Reads AAC with ADTS headers. Its time is in an ID3 tag at the start (RFC 8216 §3.4).
    fn packed(&mut self, data: &[u8], out: &mut Vec<StreamEvent>) {
        let (start, rest) = id3(data);
        let mut reader = ts::packed_audio(rest.first_chunk());
        let mut events = Vec::new();
        let start = start.unwrap_or_else(|| ts::ticks(self.last));
        reader.read(start, rest, &mut events);
        for event in events {
            self.events.take(event, &mut |event| out.push(event));
        }
    }
}

/// Returns the samples of an MP4 in DTS order, with configs first if requested (`fresh`).
/// `decryption` decrypts them.
fn fragments(
    mut data: Bytes,
    fresh: bool,
    decryption: Option<&Decryption>,
    take: &mut dyn FnMut(StreamEvent),
) -> Result<(), PullError> {
    let damaged = |error: Error| {
        let why = problem!("play-segment-unplayable", reason = error.to_problem());
        match error {
            Error::Unsupported(_) => PullError::Failed(Failure::new(FailureKind::Codec, why)),
            _ => PullError::no_stream(why),
        }
    };
    let mut index = match decryption {
        None => mp4::index_to_play(&mut &data[..]).map_err(damaged)?,
        Some(decryption) => {
            let (index, encrypted) = mp4::index_encrypted(&mut &data[..]).map_err(damaged)?;
            if !encrypted.is_empty() {
                let mut opened = data.to_vec();
                decryption.samples(&mut opened, &encrypted);
                data = Bytes::from(opened);
            }
            index
        }
    };
    if fresh {
        samples::take_config(&mut &data[..], &mut index).map_err(damaged)?;
        samples::configs(&index).for_each(&mut *take);
    }
    file_samples::packets(&mut &data[..], &index, &mut |packet| {
        take(StreamEvent::Packet(packet));
        true
    })
    .map_err(damaged)
}

/// Searches growing MPEG-TS data for its first frame.
#[derive(Debug, Default)]
pub(super) struct SegmentProbe {
    demuxer: Demuxer,
    events: StreamEvents,
    found: Vec<StreamEvent>,
    bytes: usize,
}

impl SegmentProbe {
    /// Adds data. Returns true once a frame is found, or once it is certain that none will be.
    pub fn take(&mut self, piece: &[u8]) -> bool {
        if self.bytes == 0 && piece.first().is_some_and(|first| *first != 0x47) {
            self.bytes = usize::MAX;
        }
        self.bytes = self.bytes.saturating_add(piece.len());
        if self.bytes > MAX_INSPECTED_BYTES {
            self.found.clear();
            return true;
        }
        let Self { demuxer, events, found, .. } = self;
        let mut scrambled = false;
        demuxer.push(piece, &mut |event| {
            scrambled |= matches!(event, Event::Scrambled | Event::Encrypted);
            // Skipped tracks are reported with the whole segment.
            events.take(event, &mut |event| found.extend(Some(event).filter(is_of_track)));
        });
        if scrambled {
            self.bytes = usize::MAX;
            self.found.clear();
            return true;
        }
        self.first_frame().is_some()
    }

    fn first_frame(&self) -> Option<usize> {
        self.found.iter().position(|event| event.packet_of(Track::Video).is_some())
    }

    /// Returns the events up to the first frame, or nothing if there is no frame.
    pub fn events(mut self) -> Vec<StreamEvent> {
        self.found.truncate(self.first_frame().map_or(0, |at| at + 1));
        self.found
    }
}

/// Returns true if an event is a config or a packet.
pub(super) fn is_of_track(event: &StreamEvent) -> bool {
    event.track().is_some()
}

/// Decrypts a sample-encrypted event.
fn open(event: Event, decryption: &Decryption) -> Event {
    match event {
        Event::Video { codec: ts::Codec::H264, dts, pts, keyframe, data } => {
            let data = decryption.video(&data);
            Event::Video { codec: ts::Codec::H264, dts, pts, keyframe, data }
        }
        Event::Audio { codec, pts, data } => {
            Event::Audio { codec, pts, data: decryption.audio(&data) }
        }
        other => other,
    }
}

/// Returns the time in an ID3 tag at the start of `data` in 90 kHz units, and the data after it.
fn id3(data: &[u8]) -> (Option<i64>, &[u8]) {
    const ID3_TIMESTAMP_OWNER: &[u8] = b"com.apple.streaming.transportStreamTimestamp\0";
    let Some(&[b'I', b'D', b'3', _, _, _, a, b, c, d]) = data.first_chunk::<10>() else {
        return (None, data);
    };
    let size = [a, b, c, d].iter().fold(0_usize, |sum, byte| sum << 7 | usize::from(byte & 0x7F));
    let (tag, rest) = data.split_at((size + 10).min(data.len()));
    let time = tag
        .windows(ID3_TIMESTAMP_OWNER.len())
        .position(|window| window == ID3_TIMESTAMP_OWNER)
        .and_then(|at| {
            let bytes = tag.get(at + ID3_TIMESTAMP_OWNER.len()..)?.first_chunk::<8>()?;
            Some((u64::from_be_bytes(*bytes) & ((1 << 33) - 1)) as i64)
        });
    (time, rest)
}
