//! Measures other public libraries with the rows and inputs of `benches/wire.rs`. Each library is
//! called through its public interface, as its documentation recommends. If the interface allows it,
//! output goes to a buffer that is reused. Input is passed in the library's own type of buffer, which
//! is made outside the measured time.
//!
//! | library | chunks | AMF0 | FLV |
//! |---|---|---|---|
//! | librtmp2 | both ways | both ways, `connect` into its own struct | not measured: bodies only, no tags |
//! | rml_rtmp, rml_amf0 | both ways | both ways, owned | none |
//! | rtmp-rs | both ways | both ways, owned | not measured: bodies only, no tags |
//! | scuffle-rtmp, -amf0, -flv | both ways, chunks of 64 KiB at most | both ways, owned and borrowed | demuxer only |
//! | xflv (xiu) | not measured: its `rtmp` writes chunks to its own type of asynchronous socket | both ways, owned | both ways |

#[path = "../inputs/mod.rs"]
mod inputs;

use std::hint::black_box;
use std::io::Cursor;

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, criterion_group, criterion_main};
use inputs::{CHUNK_STREAM, CONNECT, STREAM, TIME_MS, VIDEO};
use inputs::{amf0_row, batch, chunk_row, each_chunk_row, flv_row};

/// `librtmp2`.
mod librtmp2_rows {
    use librtmp2::amf::amf0;
    use librtmp2::buffer::Buffer;
    use librtmp2::chunk::reader::{ChunkMessage, chunk_read_owned};
    use librtmp2::chunk::state::ChunkRegistry;
    use librtmp2::chunk::writer::chunk_write;
    use librtmp2::message::command;
    use librtmp2::types::ConnectInfo;

    use super::*;

    const LIBRARY: &str = "librtmp2";

    pub(super) fn chunks(criterion: &mut Criterion) {
        each_chunk_row(|length, size| {
            let body = inputs::body(length);
            let wire = inputs::chunks(&body, size);
            let message = ChunkMessage {
                csid: CHUNK_STREAM,
                fmt: 0,
                timestamp: TIME_MS,
                msg_length: length as u32,
                msg_type_id: VIDEO,
                msg_stream_id: STREAM,
                is_complete: false,
            };
            let mut out = Buffer::with_capacity(2 * length + 64);
            let (mut group, row) = chunk_row(criterion, "write", LIBRARY, length, size);
            group.bench_function(row, |bench| {
                bench.iter(|| {
                    // `reset` would free large buffers.
                    out.drain(usize::MAX);
                    chunk_write(&mut out, &message, black_box(&body), length, size as usize)
                });
            });
            group.finish();
            assert_eq!(out.peek(), wire);

            let mut registry = ChunkRegistry::new();
            registry.set_all_chunk_size(size);
            let mut read = ChunkMessage::default();
            let mut read_message = |wire: &mut Buffer| {
                loop {
                    let (_, payload) = chunk_read_owned(wire, &mut registry, &mut read).unwrap();
                    if read.is_complete {
                        return payload;
                    }
                }
            };
            assert_eq!(read_message(&mut Buffer::from_slice(&wire)), body);
            let (mut group, row) = chunk_row(criterion, "read", LIBRARY, length, size);
            group.bench_function(row, |bench| {
                bench.iter_batched_ref(
                    || Buffer::from_slice(&wire),
                    |wire| black_box(read_message(wire)).len(),
                    batch(length),
                );
            });
            group.finish();
        });
    }

    fn write(out: &mut Buffer) -> librtmp2::types::Result<()> {
        amf0::write_string(out, "connect")?;
        amf0::write_number(out, 1.0)?;
        amf0::write_object_begin(out)?;
        for (key, value) in black_box(CONNECT) {
            amf0::write_object_key(out, key)?;
            amf0::write_string(out, value)?;
        }
        amf0::write_object_end(out)
    }

    /// Values are written one by one, because the library has no value that contains other values.
    pub(super) fn connect(criterion: &mut Criterion) {
        let mut out = Buffer::with_capacity(512);
        let (mut group, row) = amf0_row(criterion, "encode", LIBRARY, "connect");
        group.bench_function(row, |bench| {
            bench.iter(|| {
                out.drain(usize::MAX);
                write(&mut out)
            });
        });
        group.finish();
        assert_eq!(out.peek(), inputs::connect_body());
        let body = inputs::connect_body();
        let mut wire = Buffer::from_slice(&body);
        let mut info = ConnectInfo::default();
        // Strings are copied, unchecked, to arrays in a result that is reused.
        let (mut group, row) = amf0_row(criterion, "decode", LIBRARY, "connect, into fields");
        group.bench_function(row, |bench| {
            bench.iter(|| {
                wire.set_read_pos(0);
                command::read_connect(black_box(&mut wire), &mut info)
            });
        });
        group.finish();
        assert!(info.app.starts_with(b"live\0"));
    }
}

/// `rml_rtmp` and `rml_amf0`.
mod rml_rows {
    use rml_amf0::Amf0Value;
    use rml_rtmp::chunk_io::{ChunkDeserializer, ChunkSerializer};
    use rml_rtmp::messages::MessagePayload;
    use rml_rtmp::time::RtmpTimestamp;

    use super::*;

    const LIBRARY: &str = "rml_rtmp";

    pub(super) fn chunks(criterion: &mut Criterion) {
        each_chunk_row(|length, size| {
            let body = inputs::body(length);
            let wire = inputs::chunks(&body, size);
            let message = MessagePayload {
                timestamp: RtmpTimestamp::new(TIME_MS),
                type_id: VIDEO,
                message_stream_id: STREAM,
                data: body.clone().into(),
            };
            let mut writer = ChunkSerializer::new();
            writer.set_max_chunk_size(size, RtmpTimestamp::new(0)).unwrap();
            let (mut group, row) = chunk_row(criterion, "write", LIBRARY, length, size);
            group.bench_function(row, |bench| {
                bench.iter(|| writer.serialize(black_box(&message), false, false).unwrap());
            });
            group.finish();

            let mut reader = ChunkDeserializer::new();
            reader.set_max_chunk_size(size as usize).unwrap();
            assert!(reader.get_next_message(&wire).unwrap().is_some_and(|read| read.data == body));
            let (mut group, row) = chunk_row(criterion, "read", LIBRARY, length, size);
            group.bench_function(row, |bench| {
                bench.iter_batched_ref(
                    || wire.clone(),
                    |wire| assert!(black_box(reader.get_next_message(wire)).unwrap().is_some()),
                    batch(length),
                );
            });
            group.finish();
        });
    }

    pub(super) fn connect(criterion: &mut Criterion) {
        let text = |text: &str| Amf0Value::Utf8String(text.to_owned());
        let object = CONNECT.map(|(key, value)| (key.to_owned(), text(value)));
        let values =
            vec![text("connect"), Amf0Value::Number(1.0), Amf0Value::Object(object.into())];
        let body = inputs::connect_body();
        assert_eq!(rml_amf0::deserialize(&mut body.as_slice()).unwrap(), values);
        let (mut group, row) = amf0_row(criterion, "encode", LIBRARY, "connect");
        group.bench_function(row, |bench| {
            bench.iter(|| rml_amf0::serialize(black_box(&values)).unwrap());
        });
        group.finish();
        let (mut group, row) = amf0_row(criterion, "decode", LIBRARY, "connect, texts owned");
        group.bench_function(row, |bench| {
            bench.iter(|| rml_amf0::deserialize(&mut black_box(body.as_slice())).unwrap());
        });
        group.finish();
    }
}

/// `rtmp-rs`.
mod rtmp_rs_rows {
    use rtmp_rs::amf::{AmfValue, amf0};
    use rtmp_rs::protocol::chunk::{ChunkDecoder, ChunkEncoder, RtmpChunk};

    use super::*;

    const LIBRARY: &str = "rtmp-rs";

    pub(super) fn chunks(criterion: &mut Criterion) {
        each_chunk_row(|length, size| {
            let body = inputs::body(length);
            let wire = inputs::chunks(&body, size);
            let message = RtmpChunk {
                csid: CHUNK_STREAM,
                timestamp: TIME_MS,
                message_type: VIDEO,
                stream_id: STREAM,
                payload: body.clone().into(),
            };
            let mut writer = ChunkEncoder::new();
            writer.set_chunk_size(size);
            let mut out = BytesMut::with_capacity(2 * length + 64);
            let (mut group, row) = chunk_row(criterion, "write", LIBRARY, length, size);
            group.bench_function(row, |bench| {
                bench.iter(|| {
                    out.clear();
                    writer.encode(black_box(&message), &mut out);
                    black_box(out.len())
                });
            });
            group.finish();

            let mut reader = ChunkDecoder::new();
            reader.set_chunk_size(size);
            // The library returns nothing after each chunk except the last one.
            let mut read_message = |wire: &mut BytesMut| {
                loop {
                    if let Some(read) = reader.decode(wire).unwrap() {
                        return read.payload;
                    }
                    assert!(!wire.is_empty());
                }
            };
            assert!(read_message(&mut BytesMut::from(&wire[..])) == body);
            let (mut group, row) = chunk_row(criterion, "read", LIBRARY, length, size);
            group.bench_function(row, |bench| {
                bench.iter_batched_ref(
                    || BytesMut::from(&wire[..]),
                    |wire| black_box(read_message(wire)).len(),
                    batch(length),
                );
            });
            group.finish();
        });
    }

    pub(super) fn connect(criterion: &mut Criterion) {
        let text = |text: &str| AmfValue::String(text.to_owned());
        let object = CONNECT.map(|(key, value)| (key.to_owned(), text(value)));
        let values = vec![text("connect"), AmfValue::Number(1.0), AmfValue::Object(object.into())];
        let body = inputs::connect_body();
        assert_eq!(amf0::decode_all(&body).unwrap(), values);
        let (mut group, row) = amf0_row(criterion, "encode", LIBRARY, "connect");
        group.bench_function(row, |bench| bench.iter(|| amf0::encode_all(black_box(&values))));
        group.finish();
        let (mut group, row) = amf0_row(criterion, "decode", LIBRARY, "connect, texts owned");
        group.bench_function(row, |bench| {
            bench.iter(|| amf0::decode_all(black_box(&body)).unwrap());
        });
        group.finish();
    }
}

/// `scuffle-rtmp`, `scuffle-amf0`, `scuffle-flv`.
mod scuffle_rows {
    use scuffle_amf0::{Amf0Decoder, Amf0Encoder, Amf0Object, Amf0Value};
    use scuffle_flv::tag::{FlvTag, FlvTagData};
    use scuffle_rtmp::chunk::Chunk;
    use scuffle_rtmp::chunk::reader::ChunkReader;
    use scuffle_rtmp::chunk::writer::ChunkWriter;
    use scuffle_rtmp::messages::MessageType;

    use super::*;

    const LIBRARY: &str = "scuffle";

    pub(super) fn chunks(criterion: &mut Criterion) {
        each_chunk_row(|length, size| {
            let body = inputs::body(length);
            let wire = inputs::chunks(&body, size);
            let kind = MessageType::from(VIDEO);
            let message = Chunk::new(CHUNK_STREAM, TIME_MS, kind, STREAM, body.clone().into());
            let mut writer = ChunkWriter::default();
            writer.set_chunk_size(size as usize);
            let mut out = Vec::with_capacity(2 * length + 64);
            let (mut group, row) = chunk_row(criterion, "write", LIBRARY, length, size);
            group.bench_function(row, |bench| {
                bench.iter(|| {
                    out.clear();
                    writer.write_chunk(&mut out, black_box(&message).clone()).unwrap();
                    black_box(out.len())
                });
            });
            group.finish();
            assert_eq!(out, wire);

            let mut reader = ChunkReader::default();
            assert!(reader.update_max_chunk_size(size as usize));
            let read = reader.read_chunk(&mut BytesMut::from(&wire[..])).unwrap();
            assert!(read.is_some_and(|read| read.payload == body));
            let (mut group, row) = chunk_row(criterion, "read", LIBRARY, length, size);
            group.bench_function(row, |bench| {
                bench.iter_batched_ref(
                    || BytesMut::from(&wire[..]),
                    |wire| assert!(black_box(reader.read_chunk(wire)).unwrap().is_some()),
                    batch(length),
                );
            });
            group.finish();
        });
    }

    pub(super) fn connect(criterion: &mut Criterion) {
        let text = |text: &'static str| Amf0Value::String(text.into());
        let object: Amf0Object<'_> =
            CONNECT.into_iter().map(|(key, value)| (key.into(), text(value))).collect();
        let values = [text("connect"), Amf0Value::Number(1.0), Amf0Value::Object(object)];
        let body = inputs::connect_body();
        assert_eq!(Amf0Decoder::from_slice(&body).decode_all().unwrap(), values);
        let mut out = Vec::with_capacity(512);
        let (mut group, row) = amf0_row(criterion, "encode", LIBRARY, "connect");
        group.bench_function(row, |bench| {
            bench.iter(|| {
                out.clear();
                let mut encoder = Amf0Encoder::new(&mut out);
                for value in black_box(&values) {
                    value.encode(&mut encoder).unwrap();
                }
            });
        });
        group.finish();
        let (mut group, row) = amf0_row(criterion, "decode", LIBRARY, "connect, texts owned");
        group.bench_function(row, |bench| {
            bench.iter(|| {
                let values = Amf0Decoder::from_slice(black_box(&body)).decode_all().unwrap();
                values.into_iter().map(Amf0Value::into_owned).collect::<Vec<_>>()
            });
        });
        group.finish();
        let (mut group, row) = amf0_row(criterion, "decode", LIBRARY, "connect, texts borrowed");
        group.bench_function(row, |bench| {
            bench.iter(|| Amf0Decoder::from_slice(black_box(&body)).decode_all().unwrap());
        });
        group.finish();
    }

    /// The library does not read the size after the tag.
    pub(super) fn tags(criterion: &mut Criterion) {
        for length in inputs::LENGTHS {
            let tag = Bytes::from(inputs::tag(&inputs::body(length)));
            let (mut group, row) = flv_row(criterion, "demux", LIBRARY, length);
            group.bench_function(row, |bench| {
                bench.iter_batched_ref(
                    || Cursor::new(Bytes::copy_from_slice(&tag)),
                    |tag| {
                        let tag = black_box(FlvTag::demux(tag)).unwrap();
                        assert!(matches!(tag.data, FlvTagData::Video(_)));
                    },
                    batch(length),
                );
            });
            group.finish();
        }
    }
}

/// `xflv`, of xiu.
mod xflv_rows {
    use bytesio::bytes_reader::BytesReader;
    use xflv::Unmarshal;
    use xflv::amf0::amf0_reader::Amf0Reader;
    use xflv::amf0::amf0_writer::Amf0Writer;
    use xflv::amf0::define::Amf0ValueType;
    use xflv::define::FlvData;
    use xflv::demuxer::FlvDemuxer;
    use xflv::flv_tag_header::VideoTagHeader;
    use xflv::muxer::{FlvMuxer, HEADER_LENGTH};

    use super::*;

    const LIBRARY: &str = "xflv";

    pub(super) fn connect(criterion: &mut Criterion) {
        let text = |text: &str| Amf0ValueType::UTF8String(text.to_owned());
        let object = CONNECT.into_iter().map(|(key, value)| (key.to_owned(), text(value)));
        let values = vec![
            text("connect"),
            Amf0ValueType::Number(1.0),
            Amf0ValueType::Object(object.collect()),
        ];
        let body = inputs::connect_body();
        let (mut group, row) = amf0_row(criterion, "encode", LIBRARY, "connect");
        group.bench_function(row, |bench| {
            bench.iter(|| {
                let mut writer = Amf0Writer::new();
                writer.write_anys(black_box(&values)).unwrap();
                writer.len()
            });
        });
        group.finish();
        let (mut group, row) = amf0_row(criterion, "decode", LIBRARY, "connect, texts owned");
        group.bench_function(row, |bench| {
            bench.iter_batched(
                || Amf0Reader::new(BytesReader::new(BytesMut::from(&body[..]))),
                |mut reader| black_box(reader.read_all()).unwrap(),
                batch(body.len()),
            );
        });
        group.finish();
    }

    pub(super) fn tags(criterion: &mut Criterion) {
        for length in inputs::LENGTHS {
            let body = BytesMut::from(&inputs::body(length)[..]);
            let tag = inputs::tag(&body);
            let mut muxer = FlvMuxer::new();
            let (mut group, row) = flv_row(criterion, "mux", LIBRARY, length);
            group.bench_function(row, |bench| {
                bench.iter_batched(
                    || body.clone(),
                    |body| {
                        muxer.writer.clear();
                        muxer.write_flv_tag_header(VIDEO, length as u32, TIME_MS).unwrap();
                        muxer.write_flv_tag_body(body).unwrap();
                        muxer.write_previous_tag_size(HEADER_LENGTH + length as u32).unwrap();
                    },
                    batch(length),
                );
            });
            group.finish();
            assert_eq!(muxer.writer.get_current_bytes(), tag);

            // The library reads the size before a tag, not the size after it.
            let tag = [&[0; 4], &tag[..tag.len() - 4]].concat();
            let (mut group, row) = flv_row(criterion, "demux", LIBRARY, length);
            group.bench_function(row, |bench| {
                bench.iter_batched_ref(
                    || FlvDemuxer::new(BytesMut::from(&tag[..])),
                    |demuxer| {
                        let tag = demuxer.read_flv_tag().unwrap();
                        let Some(FlvData::Video { data, .. }) = tag else { panic!("no video") };
                        let mut reader = BytesReader::new(data);
                        let header = VideoTagHeader::unmarshal(&mut reader).unwrap();
                        (black_box(header).frame_type, reader)
                    },
                    batch(length),
                );
            });
            group.finish();
        }
    }
}

criterion_group! {
    name = wire;
    config = inputs::criterion();
    targets =
        librtmp2_rows::chunks, rml_rows::chunks, rtmp_rs_rows::chunks, scuffle_rows::chunks,
        librtmp2_rows::connect, rml_rows::connect, rtmp_rs_rows::connect, scuffle_rows::connect,
        xflv_rows::connect, scuffle_rows::tags, xflv_rows::tags
}
criterion_main!(wire);
