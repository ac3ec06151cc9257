//! Finds where video and audio packets begin in a piece from the middle of a recording, with their
//! times: in FLV by tag headers, in MPEG-TS by packet headers. This module is pure.

use bytes::Bytes;

use crate::wire::container::flv::{self, TAG_HEADER_BYTES, TAG_TRAILER_BYTES, TagContent, TagKind};
use crate::wire::container::ts::{PACKET_BYTES, TICKS_PER_SECOND};

/// Number of bytes at the start of a body that identify its content.
const CONTENT_PREFIX_BYTES: usize = 64;
const SYNC_BYTE: u8 = 0x47;

/// The format of a recording.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::input::http) enum StreamFormat {
    Flv,
    Ts,
}

/// A position at which a media packet begins.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::input::http) struct ResyncPoint {
    /// The byte at which reading the packet begins.
    pub at: u64,
    pub time_ms: u32,
    /// True for video, false for audio.
    pub is_video: bool,
    /// True for a keyframe.
    pub key: bool,
}

/// Returns the packets that begin in `bytes`, in order. `from` is the position of `bytes` in the
/// file. Packets cut off at either end are skipped.
pub(in crate::input::http) fn marks(
    form: StreamFormat,
    bytes: &Bytes,
    from: u64,
) -> Vec<ResyncPoint> {
    match form {
        StreamFormat::Flv => of_flv(bytes, from),
        StreamFormat::Ts => of_ts(bytes, from),
    }
}

/// A tag's header.
struct Header {
    kind: TagKind,
    size: usize,
    time_ms: u32,
}

impl Header {
    /// Reads a candidate for a tag header at a position.
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let header = bytes.get(at..)?.first_chunk::<TAG_HEADER_BYTES>()?;
        let [kind, s2, s1, s0, t2, t1, t0, t3, 0, 0, 0] = *header else { return None };
        let kind = TagKind::from_id(kind)?;
        let size = u32::from_be_bytes([0, s2, s1, s0]) as usize;
        (size > 0).then_some(Self { kind, size, time_ms: u32::from_be_bytes([t3, t2, t1, t0]) })
    }

    /// Returns the position of the next header.
    fn next(&self, at: usize) -> usize {
        at + TAG_HEADER_BYTES + self.size + TAG_TRAILER_BYTES
    }

    /// Returns true if the following data confirms the header: its repeated size, or another
    /// header. Missing data counts as confirmation.
    fn is_borne_out(&self, bytes: &[u8], at: usize) -> bool {
        let next = self.next(at);
        let Some(trailer) =
            bytes.get(next - TAG_TRAILER_BYTES..).and_then(<[u8]>::first_chunk::<4>)
        else {
            return true;
        };
        u32::from_be_bytes(*trailer) as usize == TAG_HEADER_BYTES + self.size
            || Self::at(bytes, next).is_some()
    }
}

fn of_flv(bytes: &Bytes, from: u64) -> Vec<ResyncPoint> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at + TAG_HEADER_BYTES < bytes.len() {
        let header = Header::at(bytes, at).filter(|header| header.is_borne_out(bytes, at));
        let Some(header) = header else {
            at += 1;
            continue;
        };
        let body = at + TAG_HEADER_BYTES;
        let body =
            bytes.slice(body..(body + header.size.min(CONTENT_PREFIX_BYTES)).min(bytes.len()));
        if TagContent::of(header.kind, &body) == TagContent::Frame {
            let is_video = header.kind == TagKind::Video;
            let key = is_video && flv::parse_video(&body).is_ok_and(|tag| tag.is_keyframe());
            found.push(ResyncPoint {
                at: from + at as u64,
                time_ms: header.time_ms,
                is_video,
                key,
            });
        }
        at = header.next(at);
    }
    found
}

fn of_ts(bytes: &Bytes, from: u64) -> Vec<ResyncPoint> {
    let in_step = |at: &usize| {
        [0, PACKET_BYTES, 2 * PACKET_BYTES]
            .iter()
            .all(|next| bytes.get(at + next).is_none_or(|it| *it == SYNC_BYTE))
    };
    let mut found = Vec::new();
    let Some(start) = (0..PACKET_BYTES.min(bytes.len())).find(in_step) else { return found };
    // Data after a program table can be read from that table on.
    let mut table = None;
    for (number, packet) in
        bytes.get(start..).unwrap_or_default().chunks_exact(PACKET_BYTES).enumerate()
    {
        let at = from + (start + number * PACKET_BYTES) as u64;
        let Some(&[SYNC_BYTE, high, low, control]) = packet.first_chunk() else { break };
        if high & 0x5F == 0x40 && low == 0 {
            table = Some(at);
        }
        // Consider only packets in which a unit begins.
        if high & 0x40 == 0 {
            continue;
        }
        let (mut payload, mut begins) = (4, false);
        if control & 0x20 != 0 {
            let length = usize::from(packet.get(4).copied().unwrap_or(0));
            begins = length > 0 && packet.get(5).is_some_and(|flags| flags & 0x40 != 0);
            payload += 1 + length;
        }
        let pes = packet.get(payload..).filter(|_| control & 0x10 != 0);
        let Some((is_video, time_ms)) = pes.and_then(pes_time) else { continue };
        let key = is_video && begins && table.is_some();
        found.push(ResyncPoint { at: table.unwrap_or(at), time_ms, is_video, key });
    }
    found
}

/// Converts a 90 kHz time to milliseconds, which wrap at 2³².
const fn millis(ticks: i64) -> u32 {
    (ticks * 1_000).div_euclid(TICKS_PER_SECOND) as u32
}

/// Reads a PES header: returns true for video, and the DTS in milliseconds.
fn pes_time(pes: &[u8]) -> Option<(bool, u32)> {
    let [0, 0, 1, stream, _, _, _, flags, _, rest @ ..] = pes else { return None };
    let is_video = match stream {
        0xE0..=0xEF => true,
        0xC0..=0xDF | 0xBD | 0xFD => false,
        _ => return None,
    };
    let at = match flags >> 6 {
        0b10 => 0,
        0b11 => 5,
        _ => return None,
    };
    let [a, b, c, d, e] = rest.get(at..)?.first_chunk::<5>()?.map(i64::from);
    let ticks = (((a >> 1) & 7) << 30) | (b << 22) | ((c >> 1) << 15) | (d << 7) | (e >> 1);
    Some((is_video, millis(ticks)))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    fn film() -> (Bytes, Vec<usize>) {
        let (mut out, mut begins) = (BytesMut::new(), Vec::new());
        for number in 0..40_u32 {
            begins.push(out.len());
            // Bodies full of data that looks like a header.
            let mut body = vec![if number % 10 == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0];
            body.extend([9, 0, 0, 30, 0, 0, 7, 0, 0, 0, 0].repeat(20));
            flv::write_tag(TagKind::Video, number * 40, &body, &mut out);
        }
        (out.freeze(), begins)
    }

    #[test]
    fn tags_are_found_from_wherever_one_begins() {
        let (film, begins) = film();
        for from in 0..2_000 {
            let found = of_flv(&film.slice(from..), from as u64);
            let all: Vec<u64> =
                begins.iter().filter(|at| **at >= from).map(|at| *at as u64).collect();
            let places: Vec<u64> = found.iter().map(|mark| mark.at).collect();
            assert_eq!(places, all, "{from}");
            for mark in found {
                assert_eq!(mark.key, mark.time_ms % 400 == 0, "{mark:?}");
            }
        }
        // Truncated last packets are skipped too; garbage has no packets.
        let cut = film.slice(..begins[39] + 100);
        assert_eq!(of_flv(&cut, 0).last().map(|mark| mark.time_ms), Some(39 * 40));
        assert_eq!(of_flv(&Bytes::from(vec![9; 5_000]), 0), []);
        assert_eq!(of_flv(&Bytes::new(), 0), []);
    }

    fn packet(pid: u16, begins: bool, random: bool, payload: &[u8]) -> Vec<u8> {
        let [high, low] = pid.to_be_bytes();
        let flags = if begins { 0x40 } else { 0 };
        let room = PACKET_BYTES - 4 - payload.len();
        let mut out = vec![SYNC_BYTE, high | flags, low, 0x30, (room - 1) as u8];
        out.push(if random { 0x40 } else { 0 });
        out.resize(4 + room, 0xFF);
        out.extend(payload);
        out
    }

    #[test]
    fn frames_of_a_transport_stream_are_found_with_their_times() {
        // The PTS and the DTS are both 90,000 ticks, one second.
        let pes = [0, 0, 1, 0xE0, 0, 0, 0x80, 0xC0, 10, 0x31, 0, 7, 0x7E, 0x41];
        let time = [0x11, 0, 5, 0xBF, 0x21];
        let pes = [&pes[..], &time].concat();
        let ts = [
            packet(0x100, true, true, &pes),
            packet(0, true, false, &[0; 20]),
            packet(0x100, true, false, &pes),
            packet(0x100, false, false, &pes),
            packet(0x100, true, true, &pes),
        ]
        .concat();
        let ts = Bytes::from([&[SYNC_BYTE, 1, 2][..], &ts].concat());
        let found = of_ts(&ts, 1_000);
        let table = 1_000 + 3 + PACKET_BYTES as u64;
        let seen: Vec<_> = found.iter().map(|mark| (mark.at, mark.time_ms, mark.key)).collect();
        assert_eq!(seen, [(1_003, 1_000, false), (table, 1_000, false), (table, 1_000, true)]);
        assert_eq!(of_ts(&Bytes::from(vec![0; 900]), 0), []);
    }
}
