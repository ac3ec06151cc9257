//! H.264 in RTP (RFC 6184), packetization mode 1: STAP-A for units that fit into one packet together, such as the
//! slices of small frames, FU-A for units longer than a packet, and otherwise single NAL units.

use std::sync::Arc;

/// NAL unit types (H.264 table 7-1) that are dropped from the frames: delimiters and filler, which
/// receivers do not need, and parameter sets, which are sent separately before each keyframe.
const DROPPED_NAL_UNIT_TYPES: [u8; 5] = [7, 8, 9, 12, 13];
/// The types that a NAL unit can have in RTP (§5.2). Receivers would read a unit of another type as a packet of units.
const SINGLE_NAL_UNIT_TYPES: std::ops::RangeInclusive<u8> = 1..=23;
/// The type of an aggregation packet (RFC 6184 §5.7.1).
const STAP_A: u8 = 24;
/// The type of a fragment (RFC 6184 §5.8).
const FU_A: u8 = 28;
/// The importance bits in the header of a NAL unit.
const NRI_MASK: u8 = 0x60;

/// Makes the payloads of one frame, each of at most `longest` bytes: first its parameter sets, if
/// any, and then its NAL units.
pub fn packetize<'a>(
    parameter_sets: impl Iterator<Item = &'a [u8]>,
    nals: impl Iterator<Item = &'a [u8]>,
    longest: usize,
) -> Vec<Arc<[u8]>> {
    let mut out = Vec::new();
    // The NAL units of the next packet, in decoding order.
    let mut units = Vec::new();
    let kind = |nal: &[u8]| {
        nal.first().map(|header| header & 0x1F).filter(|it| SINGLE_NAL_UNIT_TYPES.contains(it))
    };
    let sets = parameter_sets.filter(|set| kind(set).is_some());
    let nals =
        nals.filter(|nal| kind(nal).is_some_and(|kind| !DROPPED_NAL_UNIT_TYPES.contains(&kind)));
    for nal in sets.chain(nals) {
        if length_with(&units, nal) > longest {
            packet(&units, longest, &mut out);
            units.clear();
        }
        units.push(nal);
    }
    packet(&units, longest, &mut out);
    out
}

/// Returns the length of an aggregation packet of these units and one more (§5.7.1).
fn length_with(units: &[&[u8]], nal: &[u8]) -> usize {
    1 + units.iter().chain([&nal]).map(|nal| nal.len() + 2).sum::<usize>()
}

/// Makes the packet of these units, or the fragments of a unit that is longer than a packet.
fn packet(units: &[&[u8]], longest: usize, out: &mut Vec<Arc<[u8]>>) {
    match units {
        [] => {}
        [nal] => split(nal, longest, out),
        _ => out.push(aggregate(units)),
    }
}

/// Combines several NAL units in one packet (§5.7.1).
fn aggregate(nals: &[&[u8]]) -> Arc<[u8]> {
    // The header has the highest importance of the units, and their forbidden bit.
    let importance = nals.iter().filter_map(|nal| nal.first()).map(|it| it & NRI_MASK).max();
    let forbidden = nals.iter().filter_map(|nal| nal.first()).fold(0, |bits, it| bits | it & 0x80);
    let mut packet = vec![STAP_A | forbidden | importance.unwrap_or_default()];
    for nal in nals {
        let length = u16::try_from(nal.len()).unwrap_or(u16::MAX);
        packet.extend_from_slice(&length.to_be_bytes());
        packet.extend_from_slice(nal);
    }
    packet.into()
}

/// Splits a NAL unit into fragments if needed (§5.8).
fn split(nal: &[u8], longest: usize, out: &mut Vec<Arc<[u8]>>) {
    let Some((&header, body)) = nal.split_first() else { return };
    if nal.len() <= longest {
        out.push(nal.into());
        return;
    }
    let mut pieces = body.chunks(longest.saturating_sub(2).max(1)).peekable();
    let mut start = 0x80;
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_none() { 0x40 } else { 0 };
        let mut packet = Vec::with_capacity(piece.len() + 2);
        packet.extend_from_slice(&[header & 0xE0 | FU_A, start | end | header & 0x1F]);
        packet.extend_from_slice(piece);
        out.push(packet.into());
        start = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Joins these payloads to NAL units, like a receiver.
    fn join(payloads: &[Arc<[u8]>]) -> Vec<Vec<u8>> {
        let mut nals: Vec<Vec<u8>> = Vec::new();
        for payload in payloads {
            match payload[0] & 0x1F {
                STAP_A => {
                    let mut rest = &payload[1..];
                    while let Some((length, after)) = rest.split_first_chunk::<2>() {
                        let (nal, after) = after.split_at(u16::from_be_bytes(*length).into());
                        nals.push(nal.to_vec());
                        rest = after;
                    }
                }
                FU_A => {
                    if payload[1] & 0x80 != 0 {
                        nals.push(vec![payload[0] & 0xE0 | payload[1] & 0x1F]);
                    }
                    nals.last_mut().unwrap().extend_from_slice(&payload[2..]);
                }
                _ => nals.push(payload.to_vec()),
            }
        }
        nals
    }

    #[test]
    fn small_units_share_a_packet_and_delimiters_are_dropped() {
        let sets: [&[u8]; 2] = [&[0x67, 1, 2], &[0x68, 3]];
        let nals: [&[u8]; 4] = [&[0x09, 0xF0], &[0x67, 9], &[0x06, 5], &[0x65, 7, 7]];
        let made = packetize(sets.into_iter(), nals.into_iter(), 100);
        let all = [0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3, 0, 2, 0x06, 5, 0, 3, 0x65, 7, 7];
        assert_eq!(made.iter().map(|packet| &packet[..]).collect::<Vec<_>>(), [&all]);
        // Units that do not fit together are sent one by one.
        let made = packetize(sets.into_iter(), nals.into_iter(), 6);
        assert_eq!(join(&made), [sets[0], sets[1], nals[2], nals[3]]);
        assert_eq!(made.len(), 4);
    }

    #[test]
    fn the_slices_of_a_frame_share_packets_up_to_their_length() {
        // Eight slices of 300 bytes, as of an encoder with eight threads at 600 kbit/s.
        let slice = [0x41; 300];
        let made = packetize(std::iter::empty(), std::iter::repeat_n(&slice[..], 8), 1_150);
        let lengths: Vec<usize> = made.iter().map(|packet| packet.len()).collect();
        assert_eq!(lengths, [907, 907, 605]);
        assert!(made.iter().all(|packet| packet[0] == 0x58), "the importance of the slices");
        // A long unit is split between short ones, and the order stays.
        let long = [0x41; 2_000];
        let nals = [&[0x06, 1][..], &[0x06, 2], &long, &[0x41, 3], &[0x41, 4]];
        let made = packetize(std::iter::empty(), nals.into_iter(), 1_150);
        assert_eq!(made.iter().map(|it| it[0] & 0x1F).collect::<Vec<_>>(), [24, 28, 28, 24]);
        assert_eq!(join(&made), nals);
    }

    #[test]
    fn a_unit_that_would_be_read_as_a_packet_is_dropped() {
        let fake: [&[u8]; 4] = [&[0x78, 0, 1, 0x65], &[0x7C, 0x85, 1], &[0x60, 1], &[0x65, 7]];
        let made = packetize(fake.into_iter(), fake.into_iter(), 100);
        assert_eq!(join(&made), [fake[3], fake[3]]);
    }

    proptest! {
        #[test]
        fn what_is_split_is_put_together_again(
            lengths in prop::collection::vec(1_usize..4_000, 1..6),
            longest in 3_usize..1_500,
        ) {
            let nals: Vec<Vec<u8>> = lengths
                .iter()
                .map(|length| (0..*length).map(|at| if at == 0 { 0x65 } else { at as u8 }).collect())
                .collect();
            let made = packetize(std::iter::empty(), nals.iter().map(Vec::as_slice), longest);
            prop_assert!(made.iter().all(|payload| payload.len() <= longest));
            prop_assert!(made.len() <= lengths.iter().map(|it| it / (longest - 2) + 1).sum());
            prop_assert_eq!(join(&made), nals);
        }
    }
}
