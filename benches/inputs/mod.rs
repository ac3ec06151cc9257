//! The rows and inputs of the wire benches. onair (`benches/wire.rs`) and other libraries
//! (`benches/peers/`) include this file, so all of them measure the same work. A row consists of a
//! criterion group (the operation) and a parameter (the input). The function name is the name of
//! the library.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, BenchmarkId, Criterion, Throughput};

/// Lengths of the bodies of messages and tags, in bytes.
pub const LENGTHS: [usize; 3] = [4 << 10, 40 << 10, 400 << 10];
/// Chunk sizes, in bytes.
pub const CHUNK_SIZES: [u32; 3] = [128, 4_096, 65_536];
/// The chunk stream, message stream and time of the message.
pub const CHUNK_STREAM: u32 = 6;
pub const STREAM: u32 = 1;
pub const TIME_MS: u32 = 40;
/// The message type and tag type of video.
pub const VIDEO: u8 = 9;

/// The properties of the command object in `connect`, the first command of an encoder.
pub const CONNECT: [(&str, &str); 5] = [
    ("app", "live"),
    ("type", "nonprivate"),
    ("flashVer", "FMLE/3.0 (compatible; FMSc/1.0)"),
    ("swfUrl", "rtmp://localhost:1935/live"),
    ("tcUrl", "rtmp://localhost:1935/live"),
];

/// Returns criterion with short measurement times, so that all rows of all libraries take less than
/// four minutes.
pub fn criterion() -> Criterion {
    // After a block of this size is freed, the C library's allocator keeps smaller freed blocks
    // instead of returning them to the kernel. Otherwise the rows of 400 KiB would measure page
    // faults.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(31 << 20)));
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(150))
        .measurement_time(Duration::from_millis(400))
        .nresamples(10_000)
        .without_plots()
}

/// Makes a video body of this length: an inter frame of one NAL unit.
pub fn body(length: usize) -> Vec<u8> {
    let mut body: Vec<u8> = (0..length).map(|at| at as u8).collect();
    let [a, b, c, d] = (length as u32 - 9).to_be_bytes();
    body[..10].copy_from_slice(&[0x27, 1, 0, 0, 0, a, b, c, d, 0x41]);
    body
}

/// Makes a message with this body in chunks of this size, after a full header.
pub fn chunks(body: &[u8], chunk_size: u32) -> Vec<u8> {
    let [_, time @ ..] = TIME_MS.to_be_bytes();
    let [_, length @ ..] = (body.len() as u32).to_be_bytes();
    let mut wire = vec![CHUNK_STREAM as u8];
    wire.extend(time);
    wire.extend(length);
    wire.push(VIDEO);
    wire.extend(STREAM.to_le_bytes());
    for (at, chunk) in body.chunks(chunk_size as usize).enumerate() {
        if at > 0 {
            wire.push(0xC0 | CHUNK_STREAM as u8);
        }
        wire.extend(chunk);
    }
    wire
}

/// Makes the tag with this body, followed by the size of the tag.
pub fn tag(body: &[u8]) -> Vec<u8> {
    let [_, time @ ..] = TIME_MS.to_be_bytes();
    let [_, length @ ..] = (body.len() as u32).to_be_bytes();
    let mut tag = vec![VIDEO];
    tag.extend(length);
    tag.extend(time);
    tag.extend([0; 4]);
    tag.extend(body);
    tag.extend((body.len() as u32 + 11).to_be_bytes());
    tag
}

/// Makes the body of `connect`.
pub fn connect_body() -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    let mut body = [&[2][..], &text("connect"), &[0], &1_f64.to_be_bytes(), &[3]].concat();
    for (key, value) in CONNECT {
        body.extend([text(key), vec![2], text(value)].concat());
    }
    body.extend([0, 0, 9]);
    body
}

/// Calls `row` for each length and chunk size.
pub fn each_chunk_row(mut row: impl FnMut(usize, u32)) {
    for length in LENGTHS {
        for size in CHUNK_SIZES {
            row(length, size);
        }
    }
}

/// Opens the group of a row, and returns it with the id of the row.
pub fn chunk_row<'c>(
    criterion: &'c mut Criterion,
    what: &str,
    library: &str,
    length: usize,
    size: u32,
) -> (BenchmarkGroup<'c, WallTime>, BenchmarkId) {
    let mut group = criterion.benchmark_group(format!("chunk {what}"));
    group.throughput(Throughput::Bytes(length as u64));
    (group, BenchmarkId::new(library, format!("{} KiB in chunks of {size}", length >> 10)))
}

/// Works like [`chunk_row`], but for FLV.
pub fn flv_row<'c>(
    criterion: &'c mut Criterion,
    what: &str,
    library: &str,
    length: usize,
) -> (BenchmarkGroup<'c, WallTime>, BenchmarkId) {
    let mut group = criterion.benchmark_group(format!("flv {what}"));
    group.throughput(Throughput::Bytes(length as u64));
    (group, BenchmarkId::new(library, format!("{} KiB", length >> 10)))
}

/// Works like [`chunk_row`], but for AMF0. `what` is `encode` or `decode`, and `texts` states whether
/// the strings are owned or borrowed.
pub fn amf0_row<'c>(
    criterion: &'c mut Criterion,
    what: &str,
    library: &str,
    texts: &str,
) -> (BenchmarkGroup<'c, WallTime>, BenchmarkId) {
    (criterion.benchmark_group(format!("amf0 {what}")), BenchmarkId::new(library, texts))
}

/// Returns the number of inputs that criterion makes before each measurement, outside the measured
/// time. They are made again for each measurement, because each library has its own type of buffer,
/// and some libraries empty the buffer. The inputs of one measurement fit into the second-level
/// cache.
pub fn batch(length: usize) -> BatchSize {
    BatchSize::NumIterations(((128 << 10) / length as u64).clamp(1, 64))
}
