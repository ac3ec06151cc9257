//! AV1 in RTP ("RTP Payload Format For AV1", AOMedia). Each packet except the last one of a temporal unit ends within
//! an OBU: receivers without dependency descriptors mistake a packet that ends with an OBU for the end of a frame.

use std::sync::Arc;

use crate::wire::codec::obu::{self, Obu};

/// The OBU type of the sequence header (AV1 §6.2.2).
const SEQUENCE_HEADER_TYPE: u8 = 1;
/// The OBU types that are not sent: temporal delimiters, tile lists and padding.
const DROPPED_OBU_TYPES: [u8; 3] = [2, 8, 15];
/// Flag in an OBU header: the size of the OBU follows.
const HAS_SIZE_FLAG: u8 = 0x02;
/// Flag of the aggregation header (§4.4): the first OBU continues from the previous packet. All
/// OBUs have a length.
const FIRST_OBU_CONTINUES: u8 = 0x80;
/// Flag of the aggregation header: the last OBU continues in the next packet.
const LAST_OBU_CONTINUES: u8 = 0x40;
/// Flag of the aggregation header: a coded video sequence begins.
const NEW_SEQUENCE_FLAG: u8 = 0x08;
/// Size of the record's header (AV1-ISOBMFF §2.3.3), which precedes its OBUs, in bytes.
const RECORD_HEADER_BYTES: usize = 4;
/// Maximum length of a fragment: its length field has at most two bytes.
const MAX_FRAGMENT_BYTES: usize = (1 << 14) - 1;
/// Size of a fragment's length field in bytes.
const LENGTH_FIELD_BYTES: usize = 2;
/// Minimum room in a packet for another fragment, in bytes.
const MIN_FRAGMENT_ROOM_BYTES: usize = LENGTH_FIELD_BYTES + 2;

/// Makes the payloads of one temporal unit, each of at most `longest` bytes (8 or more). A keyframe gets the
/// sequence header of the `record` if it has none itself.
pub fn packetize(record: &[u8], unit: &[u8], is_key: bool, longest: usize) -> Vec<Arc<[u8]>> {
    let has_header = obu::units(unit).any(|obu| obu.kind() == SEQUENCE_HEADER_TYPE);
    let config =
        record.get(RECORD_HEADER_BYTES..).filter(|_| is_key && !has_header).unwrap_or_default();
    let headers = obu::units(config).filter(|obu| obu.kind() == SEQUENCE_HEADER_TYPE);
    let sent =
        headers.chain(obu::units(unit)).filter(|obu| !DROPPED_OBU_TYPES.contains(&obu.kind()));
    let mut sent = sent.map(without_size).peekable();
    let mut packets = Packets { out: Vec::new(), open: Vec::new(), longest: longest.max(8) };
    packets.begin(if is_key { NEW_SEQUENCE_FLAG } else { 0 });
    while let Some(obu) = sent.next() {
        packets.add(&obu, sent.peek().is_none());
    }
    packets.end(0);
    packets.out
}

fn without_size(obu: Obu<'_>) -> Vec<u8> {
    let mut bytes = [obu.header, obu.payload].concat();
    if let Some(header) = bytes.first_mut() {
        *header &= !HAS_SIZE_FLAG;
    }
    bytes
}

/// The packets of a temporal unit.
struct Packets {
    out: Vec<Arc<[u8]>>,
    /// The packet that is not full yet.
    open: Vec<u8>,
    longest: usize,
}

impl Packets {
    fn begin(&mut self, flags: u8) {
        self.open.push(flags);
    }

    fn end(&mut self, flags: u8) {
        if self.open.len() > 1 {
            if let Some(header) = self.open.first_mut() {
                *header |= flags;
            }
            self.out.push(std::mem::take(&mut self.open).into());
        }
    }

    /// Adds an OBU, in fragments if needed.
    fn add(&mut self, obu: &[u8], is_last: bool) {
        let mut rest = obu;
        loop {
            let room = self
                .longest
                .saturating_sub(self.open.len() + LENGTH_FIELD_BYTES)
                .min(MAX_FRAGMENT_BYTES);
            let mut length = rest.len().min(room);
            // The next OBU must begin in this packet.
            if length == rest.len() && !is_last && room - length < MIN_FRAGMENT_ROOM_BYTES {
                length = length.saturating_sub(1);
            }
            let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            if piece.len() >= 0x80 {
                self.open.push(piece.len() as u8 | 0x80);
                self.open.push((piece.len() >> 7) as u8);
            } else {
                self.open.push(piece.len() as u8);
            }
            self.open.extend_from_slice(piece);
            if after.is_empty() {
                return;
            }
            rest = after;
            self.end(LAST_OBU_CONTINUES);
            self.begin(FIRST_OBU_CONTINUES);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Joins payloads into OBUs without a size, as a receiver does.
    fn join(payloads: &[Arc<[u8]>]) -> Vec<Vec<u8>> {
        let mut obus: Vec<Vec<u8>> = Vec::new();
        let mut open = false;
        for payload in payloads {
            assert_eq!(payload[0] & FIRST_OBU_CONTINUES != 0, open);
            let mut rest = &payload[1..];
            while let Some((&byte, after)) = rest.split_first() {
                let (length, after) = match byte & 0x80 {
                    0 => (usize::from(byte), after),
                    _ => (usize::from(byte & 0x7F) | usize::from(after[0]) << 7, &after[1..]),
                };
                let (piece, after) = after.split_at(length);
                match std::mem::take(&mut open) {
                    true => obus.last_mut().unwrap().extend_from_slice(piece),
                    false => obus.push(piece.to_vec()),
                }
                rest = after;
            }
            open = payload[0] & LAST_OBU_CONTINUES != 0;
        }
        assert!(!open);
        obus
    }

    #[test]
    fn a_keyframe_has_its_sequence_header_and_no_delimiter() {
        let record = [0x81, 0, 0, 0, 0x0A, 2, 7, 7];
        // A delimiter, and a frame with a size.
        let unit = [0x12, 0, 0x32, 3, 1, 2, 3];
        let made = packetize(&record, &unit, true, 100);
        assert_eq!(made.iter().map(|it| it[0]).collect::<Vec<_>>(), [NEW_SEQUENCE_FLAG]);
        assert_eq!(join(&made), [vec![0x08, 7, 7], vec![0x30, 1, 2, 3]]);
        let own = [&record[4..], &unit].concat();
        assert_eq!(join(&packetize(&record, &own, true, 100)).len(), 2, "not twice");
        assert_eq!(join(&packetize(&record, &unit, false, 100)), [[0x30, 1, 2, 3]]);
        assert_eq!(packetize(&record, &unit, false, 100)[0][0], 0);
        assert!(packetize(&record, &[0x12, 0], false, 100).is_empty(), "nothing but a delimiter");
    }

    proptest! {
        #[test]
        fn what_is_split_is_put_together_again(
            lengths in prop::collection::vec(0_usize..3_000, 1..5),
            longest in 8_usize..1_500,
        ) {
            let mut unit = Vec::new();
            let mut expected = Vec::new();
            for length in lengths {
                let payload: Vec<u8> = (0..length).map(|at| at as u8).collect();
                unit.extend([0x32, length as u8 | 0x80, (length >> 7) as u8]);
                unit.extend(&payload);
                expected.push([&[0x30], &payload[..]].concat());
            }
            let made = packetize(&[], &unit, true, longest);
            prop_assert!(made.iter().all(|payload| payload.len() <= longest));
            let inner = made.len() - 1;
            prop_assert!(made[..inner].iter().all(|it| it[0] & LAST_OBU_CONTINUES != 0), "ends with an OBU");
            prop_assert_eq!(join(&made), expected);
        }

        #[test]
        fn any_bytes_are_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = packetize(&bytes, &bytes, true, 50);
        }
    }
}
