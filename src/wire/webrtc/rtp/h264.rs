//! H.264 in RTP (RFC 6184), packetization mode 1: single NAL units, STAP-A for the parameter sets,
//! and FU-A for units longer than a packet.

use std::sync::Arc;

/// NAL unit types (H.264 table 7-1) that are dropped from the frames: delimiters and filler, which
/// receivers do not need, and parameter sets, which are sent separately before each keyframe.
const LEFT_OUT: [u8; 5] = [7, 8, 9, 12, 13];
/// The types that a NAL unit can have in RTP (§5.2). Receivers would read a unit of another type as a packet of units.
const UNITS: std::ops::RangeInclusive<u8> = 1..=23;
/// The type of an aggregation packet (RFC 6184 §5.7.1).
const STAP_A: u8 = 24;
/// The type of a fragment (RFC 6184 §5.8).
const FU_A: u8 = 28;
/// The importance bits in the header of a NAL unit.
const NRI: u8 = 0x60;

/// Makes the payloads of one frame, each of at most `longest` bytes: first its parameter sets, if
/// any, and then its NAL units.
pub fn packetize<'a>(
    parameter_sets: &(impl Iterator<Item = &'a [u8]> + Clone),
    nals: impl Iterator<Item = &'a [u8]>,
    longest: usize,
) -> Vec<Arc<[u8]>> {
    let mut out = Vec::new();
    let kind = |nal: &[u8]| nal.first().map(|header| header & 0x1F).filter(|it| UNITS.contains(it));
    let sets = || parameter_sets.clone().filter(|set| kind(set).is_some());
    let together: usize = 1 + sets().map(|set| set.len() + 2).sum::<usize>();
    match sets().count() {
        0 => {}
        2.. if together <= longest => out.push(aggregate(sets(), together)),
        _ => sets().for_each(|set| split(set, longest, &mut out)),
    }
    for nal in nals {
        if kind(nal).is_some_and(|kind| !LEFT_OUT.contains(&kind)) {
            split(nal, longest, &mut out);
        }
    }
    out
}

/// Combines several NAL units in one packet (§5.7.1).
fn aggregate<'a>(nals: impl Iterator<Item = &'a [u8]>, length: usize) -> Arc<[u8]> {
    let mut packet = Vec::with_capacity(length);
    packet.push(STAP_A);
    let mut importance = 0;
    for nal in nals {
        importance = importance.max(nal.first().map_or(0, |header| header & NRI));
        let length = u16::try_from(nal.len()).unwrap_or(u16::MAX);
        packet.extend_from_slice(&length.to_be_bytes());
        packet.extend_from_slice(nal);
    }
    if let Some(header) = packet.first_mut() {
        *header |= importance;
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
    fn parameter_sets_share_a_packet_and_delimiters_are_left_out() {
        let sets: [&[u8]; 2] = [&[0x67, 1, 2], &[0x68, 3]];
        let nals: [&[u8]; 4] = [&[0x09, 0xF0], &[0x67, 9], &[0x06, 5], &[0x65, 7, 7]];
        let made = packetize(&sets.into_iter(), nals.into_iter(), 100);
        assert_eq!(*made[0], [0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3]);
        assert_eq!(join(&made), [sets[0], sets[1], nals[2], nals[3]]);
        // Parameter sets that do not fit together are sent one by one.
        let made = packetize(&sets.into_iter(), nals.into_iter(), 6);
        assert_eq!(join(&made), [sets[0], sets[1], nals[2], nals[3]]);
    }

    #[test]
    fn a_unit_that_would_be_read_as_a_packet_is_left_out() {
        let fake: [&[u8]; 4] = [&[0x78, 0, 1, 0x65], &[0x7C, 0x85, 1], &[0x60, 1], &[0x65, 7]];
        let made = packetize(&fake.into_iter(), fake.into_iter(), 100);
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
            let made = packetize(&std::iter::empty(), nals.iter().map(Vec::as_slice), longest);
            prop_assert!(made.iter().all(|payload| payload.len() <= longest));
            prop_assert_eq!(join(&made), nals);
        }
    }
}
