//! Splits messages into chunks and joins them (RTMP 1.0, 5.3).
//!
//! [`Reader`] takes bytes as they arrive and returns whole [`Message`](super::message::Message)s.
//! Each payload byte is copied once, from the input to the body of its message. [`Writer`] appends
//! messages to a buffer, whole or chunk by chunk (so that other messages can be interleaved), with
//! the shortest possible header and without an allocation per chunk. [`encode_standalone`] does not
//! depend on connection state, so a server encodes a message once and shares the bytes between all
//! viewers.

mod reader;
mod writer;

pub use reader::{Error, Limits, Reader};
pub use writer::{Pending, Writer, encode_standalone, standalone};

/// The initial chunk size of both directions.
pub const DEFAULT_CHUNK_SIZE: u32 = 128;
/// The largest useful chunk size, because a message length is a 24-bit number.
pub const MAX_CHUNK_SIZE: u32 = 0x00FF_FFFF;
/// The value of a 24-bit time field after which a 32-bit time follows.
const EXTENDED_TIMESTAMP_MARKER: u32 = 0x00FF_FFFF;
/// The longest body that a message header can announce.
pub const MAX_BODY_BYTES: usize = 0x00FF_FFFF;

/// Appends bytes in pieces so short that copying does not use the processor's string instructions,
/// which the C library uses from 2 KiB. On several processors, these are three to five times slower
/// if the two addresses are badly aligned. `out` must already have the capacity.
fn append_pieces(out: &mut Vec<u8>, bytes: &[u8]) {
    for piece in bytes.chunks(COPY_PIECE_BYTES) {
        out.extend_from_slice(piece);
    }
}

/// Size of the pieces of [`append_pieces`] in bytes.
const COPY_PIECE_BYTES: usize = 2_048 - 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::rtmp::message::Control;
    use crate::wire::rtmp::{Kind, Message, Time};

    fn message(chunk_stream: u32, kind: u8, stream: u32, time: u32, length: usize) -> Message {
        let body = (0..length).map(|at| (at * 7 + kind as usize) as u8).collect();
        Message { chunk_stream, kind: Kind(kind), stream, time: Time(time), body }
    }

    /// Reads all messages in the bytes, in parts of `cut` bytes.
    fn read_cut(reader: &mut Reader, bytes: &[u8], cut: usize) -> Result<Vec<Message>, Error> {
        let mut messages = Vec::new();
        for mut part in bytes.chunks(cut.max(1)) {
            while let Some(message) = reader.read(&mut part)? {
                messages.push(message);
            }
            assert!(part.is_empty());
        }
        Ok(messages)
    }

    fn read(bytes: &[u8]) -> Result<Vec<Message>, Error> {
        let whole = read_cut(&mut Reader::default(), bytes, bytes.len());
        for cut in [1, 2, 3, 5, 19] {
            assert_eq!(read_cut(&mut Reader::default(), bytes, cut), whole, "cut {cut}");
        }
        whole
    }

    #[test]
    fn headers_shrink_as_far_as_they_may() {
        let mut writer = Writer::new();
        let mut sizes = Vec::new();
        let mut bytes = Vec::new();
        for (time, length) in
            [(1_000, 5), (1_020, 5), (1_040, 5), (1_060, 6), (1_050, 6), (1_050, 6)]
        {
            let before = bytes.len();
            writer.write(&message(4, 8, 1, time, length), &mut bytes);
            sizes.push(bytes.len() - before - length);
        }
        // Full; delta; nothing new; other length; time goes back; delta (a type 3 after a type 0
        // would mean 1,050 more).
        assert_eq!(sizes, [12, 4, 1, 8, 12, 4]);
        let times: Vec<_> = read(&bytes).unwrap().iter().map(|message| message.time.0).collect();
        assert_eq!(times, [1_000, 1_020, 1_040, 1_060, 1_050, 1_050]);
    }

    #[test]
    fn a_type_3_header_never_repeats_the_time_of_a_type_0_header() {
        // nginx-rtmp takes the second message for one of the same time, other readers add 40 ms.
        for (times, expected) in [([40, 80, 120], [12, 4, 1]), ([0, 0, 0], [12, 1, 1])] {
            let (mut writer, mut bytes) = (Writer::new(), Vec::new());
            let sizes = times.map(|time| {
                let before = bytes.len();
                writer.write(&message(4, 8, 1, time, 5), &mut bytes);
                bytes.len() - before - 5
            });
            assert_eq!(sizes, expected, "{times:?}");
            let read: Vec<_> = read(&bytes).unwrap().iter().map(|it| it.time.0).collect();
            assert_eq!(read, times);
        }
    }

    #[test]
    fn every_chunk_stream_id_has_its_form() {
        for (id, size) in [(2, 1), (63, 1), (64, 2), (319, 2), (320, 3), (65_599, 3)] {
            let mut bytes = Vec::new();
            let sent = message(id, 9, 1, 5, 300);
            Writer::new().write(&sent, &mut bytes);
            assert_eq!(bytes.len(), 300 + size + 11 + 2 * size, "{id}");
            assert_eq!(read(&bytes).unwrap(), [sent]);
        }
    }

    #[test]
    fn type_3_after_type_0_adds_the_time_of_type_0() {
        let bytes = [4, 0, 0, 10, 0, 0, 1, 8, 1, 0, 0, 0, 0xAA, 0xC4, 0xBB];
        let times: Vec<_> = read(&bytes).unwrap().iter().map(|message| message.time.0).collect();
        assert_eq!(times, [10, 20]);
    }

    #[test]
    fn extended_times_are_read_in_every_habit() {
        let time = 0x0100_0000_u32;
        let payload: Vec<u8> = (1..=200).map(|at| at as u8).collect();
        for repeat in [Some(time), None, Some(0)] {
            let mut bytes = Vec::new();
            for _ in 0..2 {
                bytes.extend([6, 0xFF, 0xFF, 0xFF, 0, 0, 200, 9, 1, 0, 0, 0]);
                bytes.extend(time.to_be_bytes());
                bytes.extend(&payload[..128]);
                bytes.push(0xC6);
                bytes.extend(repeat.into_iter().flat_map(u32::to_be_bytes));
                bytes.extend(&payload[128..]);
            }
            let messages = read(&bytes).unwrap();
            assert_eq!(messages.len(), 2, "{repeat:?}");
            assert!(
                messages.iter().all(|message| message.body == payload && message.time.0 == time)
            );
        }
    }

    #[test]
    fn a_short_rest_that_looks_like_a_time_is_payload_after_all() {
        // No repeated time; the last chunk has 2 bytes that equal the start of the time.
        let mut bytes = vec![6, 0xFF, 0xFF, 0xFF, 0, 0, 130, 9, 1, 0, 0, 0, 1, 2, 3, 4];
        bytes.extend([0; 128]);
        bytes.extend([0xC6, 1, 2]);
        bytes.extend([3, 0, 0, 7, 0, 0, 1, 8, 1, 0, 0, 0, 0x55]);
        let messages = read(&bytes).unwrap();
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[0].body[128..], [1, 2]);
        assert_eq!((messages[1].time.0, messages[1].body.as_ref()), (7, [0x55].as_slice()));
    }

    #[test]
    fn fresh_chunk_streams_may_begin_with_type_1_or_2_but_not_3() {
        let messages = read(&[0x44, 0, 0, 5, 0, 0, 1, 8, 0xAA]).unwrap();
        assert_eq!((messages[0].time.0, messages[0].stream), (5, 0));
        // A type 2 on csid 33, as drones send first: it is empty, and nothing is lost.
        let mut bytes = vec![0xA1, 0, 0, 0];
        Writer::new().write(&message(3, 20, 0, 0, 10), &mut bytes);
        assert_eq!(read(&bytes).unwrap().len(), 2);
        assert_eq!(read(&[0xC3]), Err(Error::NothingToContinue(3)));
    }

    #[test]
    fn aborts_and_size_changes_take_effect_between_chunks() {
        let mut bytes = Vec::new();
        let mut writer = Writer::new();
        let video = message(6, 9, 1, 40, 1_000);
        let mut pending = Pending::new(video.clone());
        assert!(!writer.write_chunk(&mut pending, &mut bytes));
        writer.write(&message(4, 8, 1, 41, 9), &mut bytes);
        writer.write(&Control::SetChunkSize(300).message(), &mut bytes);
        writer.set_chunk_size(300);
        while !writer.write_chunk(&mut pending, &mut bytes) {}
        let kinds: Vec<_> = read(&bytes).unwrap().iter().map(|message| message.kind.0).collect();
        assert_eq!(kinds, [8, 1, 9]);
        assert!(read(&bytes).unwrap().contains(&video));

        let mut bytes = Vec::new();
        let mut writer = Writer::new();
        writer.write_chunk(&mut Pending::new(video.clone()), &mut bytes);
        writer.write(&Control::Abort { chunk_stream: 6 }.message(), &mut bytes);
        writer.write(&video, &mut bytes);
        let messages = read(&bytes).unwrap();
        assert_eq!(messages.len(), 2);
        assert_eq!(messages[1].body, video.body);
    }

    #[test]
    fn a_repeated_header_continues_and_another_one_begins_a_new_stream() {
        let header = [6, 0, 0, 9, 0, 0, 200, 9, 1, 0, 0, 0];
        let mut bytes = header.to_vec();
        bytes.extend([1; 128]);
        bytes.extend(header);
        bytes.extend([2; 72]);
        assert_eq!(read(&bytes).unwrap()[0].body.len(), 200);
        // CVE-2016-10191: a header with another length in the middle of a message.
        let mut bytes = header.to_vec();
        bytes.extend([1; 128]);
        bytes.extend([6, 0, 0, 9, 0, 0, 2, 9, 1, 0, 0, 0, 7, 7]);
        let messages = read(&bytes).unwrap();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].body.as_ref(), [7, 7]);
    }

    #[test]
    fn limits_hold() {
        let limits = Limits { message: 1_000, partials: 2, partial_bytes: 300, chunk_streams: 3 };
        let read = |bytes: &[u8]| read_cut(&mut Reader::new(limits), bytes, 7);
        let begin = |id: u8, length: u16| {
            let [high, low] = length.to_be_bytes();
            let mut bytes = vec![id, 0, 0, 0, 0, high, low, 9, 1, 0, 0, 0];
            bytes.extend(vec![0; usize::from(length.min(128))]);
            bytes
        };
        let too_long = Error::MessageTooLong { length: 1_001, limit: 1_000 };
        assert_eq!(read(&begin(3, 1_001)), Err(too_long));
        let three = [begin(3, 200), begin(4, 200), begin(5, 200)].concat();
        assert_eq!(read(&three), Err(Error::TooManyPartials(2)));
        let long = [begin(3, 900), vec![0xC3], vec![0; 128], vec![0xC3], vec![0; 128]].concat();
        assert_eq!(read(&long), Err(Error::PartialsTooLong(300)));
        let four = [begin(3, 1), begin(4, 1), begin(5, 1), begin(6, 1)].concat();
        assert_eq!(read(&four), Err(Error::TooManyChunkStreams(3)));
        let zero = [2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(read(&zero), Err(Error::ChunkSizeZero));
        let huge = [2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF];
        let mut reader = Reader::default();
        read_cut(&mut reader, &huge, 100).unwrap();
        assert_eq!(reader.chunk_size(), MAX_CHUNK_SIZE as usize);
    }

    #[test]
    fn times_wrap_around() {
        let mut bytes = Vec::new();
        let mut writer = Writer::new();
        let times = [u32::MAX - 30, u32::MAX - 10, 9, 29, 0x00FF_FFFF, 0x0100_0010];
        for time in times {
            writer.write(&message(4, 8, 1, time, 300), &mut bytes);
        }
        let read: Vec<_> = read(&bytes).unwrap().iter().map(|message| message.time.0).collect();
        assert_eq!(read, times);
    }

    prop_compose! {
        fn any_message()(
            chunk_stream in prop_oneof![2_u32..64, 64_u32..320, 320_u32..65_600],
            kind in 7_u8..21,
            stream in 0_u32..4,
            time in prop_oneof![any::<u32>(), 0_u32..100, 0x00FF_FFF0_u32..0x0100_0010],
            length in prop_oneof![0_usize..20, 0_usize..2_000],
        ) -> Message {
            message(chunk_stream, kind, stream, time, length)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn what_is_written_is_read(
            messages in prop::collection::vec(any_message(), 1..20),
            size in 1_u32..3_000,
            cut in 1_usize..200,
        ) {
            let mut bytes = Vec::new();
            let mut writer = Writer::new();
            writer.write(&Control::SetChunkSize(size).message(), &mut bytes);
            writer.set_chunk_size(size);
            for message in &messages {
                writer.write(message, &mut bytes);
            }
            let read = read_cut(&mut Reader::default(), &bytes, cut).unwrap();
            prop_assert_eq!(&read[1..], messages.as_slice());
            let mut reader = Reader::default();
            reader.set_chunk_size(size);
            let alone: Vec<u8> =
                messages.iter().flat_map(|message| standalone(message, size)).collect();
            prop_assert_eq!(read_cut(&mut reader, &alone, cut).unwrap(), messages);
        }

        #[test]
        fn interleaved_messages_all_arrive(order in prop::collection::vec(0_usize..4, 1..60)) {
            let mut writer = Writer::new();
            let mut bytes = Vec::new();
            let messages: Vec<_> = (0..4).map(|n| message(4 + n, 8, 1, n, 700)).collect();
            let mut pending: Vec<_> = messages.iter().cloned().map(|m| Some(Pending::new(m))).collect();
            for at in order.into_iter().chain((0..4).cycle().take(24)) {
                if let Some(mut under_way) = pending[at].take()
                    && !writer.write_chunk(&mut under_way, &mut bytes)
                {
                    pending[at] = Some(under_way);
                }
            }
            let mut read = read_cut(&mut Reader::default(), &bytes, bytes.len()).unwrap();
            read.sort_by_key(|message| message.chunk_stream);
            prop_assert_eq!(read, messages);
        }
    }
}
