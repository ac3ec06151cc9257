//! Measures the wire code: messages to chunks and back, the AMF0 body of `connect`, and FLV tags,
//! each written and read. The rows and inputs are in `inputs/`. `benches/peers/` measures other
//! libraries with them, and `packaging/bench.sh wire` compares the results. The bench first counts
//! and prints allocations. `tests/hostile_wire.rs` tests that a chunk causes no allocation.

#![allow(clippy::print_stdout, reason = "a bench reports on stdout")]
#![allow(clippy::indexing_slicing, reason = "a bench may panic")]

#[path = "backend/allocations.rs"]
mod allocations;
mod inputs;

use std::hint::black_box;

use allocations::{Counting, counted};
use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use inputs::{amf0_row, batch, chunk_row, each_chunk_row, flv_row};
use onair::wire::amf0::{self, Decoder, Value, ValueRef};
use onair::wire::byte_block::ByteBlock;
use onair::wire::container::flv;
use onair::wire::container::flv::{Demuxer, TagKind, parse_video};
use onair::wire::rtmp::chunk::{Reader, Writer};
use onair::wire::rtmp::{Kind, Message, Time};

#[global_allocator]
static COUNTING: Counting = Counting;

const LIBRARY: &str = "onair";

fn message(length: usize) -> Message {
    Message {
        chunk_stream: inputs::CHUNK_STREAM,
        kind: Kind::VIDEO,
        stream: inputs::STREAM,
        time: Time(inputs::TIME_MS),
        body: inputs::body(length).into(),
    }
}

fn chunks(criterion: &mut Criterion) {
    each_chunk_row(|length, size| {
        let message = message(length);
        let wire = inputs::chunks(&message.body, size);
        let mut writer = Writer::new();
        writer.set_chunk_size(size);
        let mut reader = Reader::default();
        reader.set_chunk_size(size);
        let mut out = Vec::with_capacity(2 * length + 64);
        writer.write(&message, &mut out);
        // As with data from a socket, bodies may share the block.
        let mut buffer = BytesMut::from(&wire[..]);
        let read = reader.read_block(&mut ByteBlock::new(&mut buffer));
        assert!(read.is_ok_and(|read| read == Some(message.clone())));
        let mut buffer = BytesMut::from(&wire[..]);
        out.clear();
        let ((), writing) = counted(|| writer.write(&message, &mut out));
        let (_, reading) = counted(|| reader.read_block(&mut ByteBlock::new(&mut buffer)));
        println!(
            "{} KiB in chunks of {size}: {} allocations to write, {} to read",
            length >> 10,
            writing.count,
            reading.count
        );

        let (mut group, row) = chunk_row(criterion, "write", LIBRARY, length, size);
        group.bench_function(row, |bench| {
            bench.iter(|| {
                out.clear();
                writer.write(black_box(&message), &mut out);
                black_box(out.len())
            });
        });
        group.finish();
        let (mut group, row) = chunk_row(criterion, "read", LIBRARY, length, size);
        group.bench_function(row, |bench| {
            bench.iter_batched_ref(
                || BytesMut::from(&wire[..]),
                |wire| black_box(reader.read_block(&mut ByteBlock::new(wire))).is_ok(),
                batch(length),
            );
        });
        group.finish();
    });
}

fn amf0_connect(criterion: &mut Criterion) {
    let object = Value::object(inputs::CONNECT.map(|(key, value)| (key, value.into())));
    let values = vec!["connect".into(), 1.0.into(), object];
    let body = amf0::encode(&values);
    assert_eq!(body, inputs::connect_body());
    let mut out = Vec::with_capacity(512);
    let (mut group, row) = amf0_row(criterion, "encode", LIBRARY, "connect");
    group.bench_function(row, |bench| {
        bench.iter(|| {
            out.clear();
            for value in black_box(&values) {
                value.encode(&mut out);
            }
            black_box(out.len())
        });
    });
    group.finish();
    let (mut group, row) = amf0_row(criterion, "decode", LIBRARY, "connect, texts owned");
    group.bench_function(row, |bench| bench.iter(|| amf0::decode(black_box(&body))));
    group.finish();
    let (mut group, row) = amf0_row(criterion, "decode", LIBRARY, "connect, texts borrowed");
    group.bench_function(row, |bench| {
        bench.iter(|| {
            let mut decoder = Decoder::new(black_box(&body));
            let mut values = 0;
            while let Ok(Some(value)) = decoder.next_value() {
                let _: ValueRef<'_> = black_box(value);
                values += 1;
            }
            values
        });
    });
    group.finish();
    // Like a server, copies the values of a client to fields that are reused.
    let mut fields = inputs::CONNECT.map(|(name, _)| (name, String::new()));
    let (mut group, row) = amf0_row(criterion, "decode", LIBRARY, "connect, into fields");
    group.bench_function(row, |bench| {
        bench.iter(|| {
            let mut decoder = Decoder::new(black_box(&body));
            while let Ok(Some(value)) = decoder.next_value() {
                let value: ValueRef<'_> = value;
                for (name, value) in value.properties().unwrap_or_default() {
                    let field = fields.iter_mut().find(|(known, _)| known == name);
                    let (Some((_, field)), Some(text)) = (field, value.as_str()) else { continue };
                    field.clear();
                    field.push_str(text);
                }
            }
            black_box(&mut fields);
        });
    });
    group.finish();
    assert!(inputs::CONNECT.iter().zip(&fields).all(|(given, kept)| given.1 == kept.1));
}

fn flv_tags(criterion: &mut Criterion) {
    for length in inputs::LENGTHS {
        let body = inputs::body(length);
        let tag = inputs::tag(&body);
        let mut out = BytesMut::with_capacity(length + 64);
        let (mut group, row) = flv_row(criterion, "mux", LIBRARY, length);
        group.bench_function(row, |bench| {
            bench.iter(|| {
                out.clear();
                flv::write_tag(TagKind::Video, inputs::TIME_MS, black_box(&body), &mut out);
                black_box(out.len())
            });
        });
        group.finish();
        assert_eq!(out[..], tag[..]);

        let (mut group, row) = flv_row(criterion, "demux", LIBRARY, length);
        group.bench_function(row, |bench| {
            bench.iter_batched_ref(
                || {
                    let mut demuxer = Demuxer::new();
                    demuxer.push(&flv::file_header(true, true));
                    assert!(demuxer.next_tag().is_ok_and(|tag| tag.is_none()));
                    demuxer.push(&tag);
                    demuxer
                },
                |demuxer| {
                    let tag = demuxer.next_tag();
                    let video = tag.ok().flatten().map(|tag| parse_video(&tag.body));
                    assert!(matches!(black_box(video), Some(Ok(_))));
                },
                batch(length),
            );
        });
        group.finish();
    }
}

criterion_group! {
    name = wire;
    config = inputs::criterion();
    targets = chunks, amf0_connect, flv_tags
}
criterion_main!(wire);
