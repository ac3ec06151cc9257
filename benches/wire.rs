//! What the wire costs: messages to chunks and back, AMF0 connect both ways. Rows as in the first
//! release's goals; `benches/peers/` has the same rows for other libraries. Allocations are counted
//! and printed once in front.

#![allow(clippy::print_stdout, reason = "a bench reports on stdout")]

#[path = "backend/allocations.rs"]
mod allocations;

use std::hint::black_box;

use allocations::{Counting, counted};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use onair::wire::amf0::{self, Decoder, Value, ValueRef};
use onair::wire::rtmp::chunk::{Reader, Writer, encode_standalone};
use onair::wire::rtmp::{Kind, Message, Time};

#[global_allocator]
static COUNTING: Counting = Counting;

const LENGTHS: [usize; 3] = [4 << 10, 40 << 10, 400 << 10];
const CHUNK_SIZES: [u32; 3] = [128, 4_096, 65_536];

fn video(length: usize) -> Message {
    let body = (0..length).map(|at| at as u8).collect();
    Message { chunk_stream: 6, kind: Kind::VIDEO, stream: 1, time: Time(40), body }
}

fn chunks(criterion: &mut Criterion) {
    for length in LENGTHS {
        let message = video(length);
        for size in CHUNK_SIZES {
            let name = format!("{}KiB/{size}", length >> 10);
            let mut writer = Writer::new();
            writer.set_chunk_size(size);
            let mut wire = Vec::new();
            encode_standalone(6, 1, message.time, message.kind, &message.body, size, &mut wire);
            let mut reader = Reader::default();
            reader.set_chunk_size(size);
            let mut out = Vec::with_capacity(2 * length + 64);
            writer.write(&message, &mut out);
            let _ = reader.read(&mut wire.as_slice());
            out.clear();
            let ((), writing) = counted(|| writer.write(&message, &mut out));
            let (read, reading) = counted(|| reader.read(&mut wire.as_slice()));
            assert!(read.is_ok_and(|read| read.is_some()));
            println!("{name}: {} allocations to write, {} to read", writing.count, reading.count);

            let mut group = criterion.benchmark_group("chunk");
            group.throughput(Throughput::Bytes(length as u64));
            group.bench_function(BenchmarkId::new("write", &name), |bench| {
                bench.iter(|| {
                    out.clear();
                    writer.write(black_box(&message), &mut out);
                    black_box(out.len())
                });
            });
            group.bench_function(BenchmarkId::new("read", &name), |bench| {
                bench.iter(|| reader.read(&mut black_box(wire.as_slice())));
            });
            group.bench_function(BenchmarkId::new("round trip", &name), |bench| {
                bench.iter(|| {
                    out.clear();
                    encode_standalone(
                        6,
                        1,
                        message.time,
                        message.kind,
                        black_box(&message.body),
                        size,
                        &mut out,
                    );
                    reader.read(&mut out.as_slice())
                });
            });
            group.finish();
        }
    }
}

fn connect() -> Vec<Value> {
    let object = Value::object([
        ("app", "live".into()),
        ("type", "nonprivate".into()),
        ("flashVer", "FMLE/3.0 (compatible; FMSc/1.0)".into()),
        ("swfUrl", "rtmp://localhost:1935/live".into()),
        ("tcUrl", "rtmp://localhost:1935/live".into()),
    ]);
    vec!["connect".into(), 1.0.into(), object]
}

fn amf0_connect(criterion: &mut Criterion) {
    let values = connect();
    let body = amf0::encode(&values);
    let mut group = criterion.benchmark_group("amf0 connect");
    let mut out = Vec::with_capacity(512);
    group.bench_function("encode", |bench| {
        bench.iter(|| {
            out.clear();
            for value in black_box(&values) {
                value.encode(&mut out);
            }
            black_box(out.len())
        });
    });
    group.bench_function("decode", |bench| bench.iter(|| amf0::decode(black_box(&body))));
    group.bench_function("decode borrowed", |bench| {
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
}

criterion_group!(benches, chunks, amf0_connect);
criterion_main!(benches);
