//! Simulates many viewers of a server in one process, over WHEP (with real DTLS and SRTP) or over low-latency
//! HLS, and measures the load on the server:
//!
//! `cargo run --release --example viewers -- whep http://127.0.0.1:8088/live/show --viewers 200 --pid PID`
//!
//! `cargo run --release --example viewers -- hls http://127.0.0.1:8088/live/show --viewers 2000 --pid PID`
//!
//! The measurement lasts `--seconds` (20). It begins `--settle` (5) seconds after the last viewer has joined. The CPU
//! time of a cache in front of the server counts separately: `--cache PID` for each of its processes.
//! The report is one JSON object. Another program must publish the stream, and the server must allow this
//! many viewers from one address.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use onair::net::webrtc::{Certificate, crypto};
use onair::wire::hls::{Media, Playlist, parse};
use parking_lot::Mutex;
use serde_json::json;
use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};

/// Interval between joins, so that a server need not answer all viewers at the same time.
const JOIN: Duration = Duration::from_millis(5);
/// Time limit of a join.
const JOINED: Duration = Duration::from_secs(20);
/// A viewer without media for this long stalls.
const STALL: Duration = Duration::from_millis(1_500);

/// The options on the command line.
struct Options {
    address: String,
    /// Path of the stream, such as `/live/show`.
    path: String,
    viewers: usize,
    settle: Duration,
    length: Duration,
    pid: Option<u32>,
    /// The processes of a cache.
    cache: Vec<u32>,
}

/// The totals of all viewers.
#[derive(Default)]
struct Totals {
    /// True during the measurement. Data is counted only then.
    measuring: AtomicBool,
    bytes: AtomicU64,
    /// The number of packets with WHEP, or of requests with HLS.
    units: AtomicU64,
    stalls: AtomicU64,
    joined: AtomicU64,
    failed: AtomicU64,
    /// Milliseconds from the first request of each viewer to its first frame or part.
    join_ms: Mutex<Vec<f64>>,
}

impl Totals {
    fn count(&self, bytes: usize, since: Duration) {
        if self.measuring.load(Ordering::Relaxed) {
            self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            self.units.fetch_add(1, Ordering::Relaxed);
            self.stalls.fetch_add(u64::from(since > STALL), Ordering::Relaxed);
        }
    }

    fn join(&self, since: Instant) {
        self.joined.fetch_add(1, Ordering::Relaxed);
        self.join_ms.lock().push(since.elapsed().as_secs_f64() * 1e3);
    }
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let usage = "viewers whep|hls http://HOST:PORT/APP/STREAM [--viewers N] [--seconds N] [--settle N] [--pid PID] [--cache PID]";
    let (Some(protocol), Some(url)) = (words.next(), words.next()) else { bail!(usage) };
    let rest = url.strip_prefix("http://").context(usage)?;
    let (address, path) = rest.split_once('/').context(usage)?;
    let mut options = Options {
        address: address.to_owned(),
        path: format!("/{path}"),
        viewers: 200,
        settle: Duration::from_secs(5),
        length: Duration::from_secs(20),
        pid: None,
        cache: Vec::new(),
    };
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        let number: u32 = value.parse().with_context(|| format!("{name}: {value}"))?;
        match name.as_str() {
            "--viewers" => options.viewers = number as usize,
            "--seconds" => options.length = Duration::from_secs(number.into()),
            "--settle" => options.settle = Duration::from_secs(number.into()),
            "--pid" => options.pid = Some(number),
            "--cache" => options.cache.push(number),
            _ => bail!(usage),
        }
    }
    let whep = match protocol.as_str() {
        "whep" => true,
        "hls" => false,
        _ => bail!(usage),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(whep, Arc::new(options)))
}

async fn run(whep: bool, options: Arc<Options>) -> Result<()> {
    let totals = Arc::<Totals>::default();
    let certificate = Arc::new(Certificate::generate()?);
    for _ in 0..options.viewers {
        let (options, totals) = (Arc::clone(&options), Arc::clone(&totals));
        let certificate = Arc::clone(&certificate);
        tokio::spawn(async move {
            let ended = match whep {
                true => watch_whep(&options, &totals, &certificate).await,
                false => watch_hls(&options, &totals).await,
            };
            if let Err(error) = ended {
                totals.failed.fetch_add(1, Ordering::Relaxed);
                let _ = writeln!(std::io::stderr(), "a viewer: {error:#}");
            }
        });
        sleep(JOIN).await;
    }
    let all = async {
        let settled = || {
            totals.joined.load(Ordering::Relaxed) + totals.failed.load(Ordering::Relaxed)
                >= options.viewers as u64
        };
        while !settled() {
            sleep(JOIN).await;
        }
    };
    ensure!(timeout(JOINED, all).await.is_ok(), "not all viewers have joined");
    sleep(options.settle).await;
    let before = options.pid.map(usage).transpose()?;
    let (own, cache) = (usage(std::process::id())?, cpu_of(&options.cache)?);
    let begun = Instant::now();
    totals.measuring.store(true, Ordering::Relaxed);
    sleep(options.length).await;
    totals.measuring.store(false, Ordering::Relaxed);
    let seconds = begun.elapsed().as_secs_f64();
    let after = options.pid.map(usage).transpose()?;
    let get = |value: &AtomicU64| value.load(Ordering::Relaxed);
    let bytes = get(&totals.bytes);
    let mut joins = std::mem::take(&mut *totals.join_ms.lock());
    joins.sort_by(f64::total_cmp);
    let part = |of: usize| joins.get((joins.len() * of / 100).min(joins.len().saturating_sub(1)));
    let mut report = json!({
        "protocol": if whep { "whep" } else { "hls" },
        "viewers": options.viewers,
        "failed": get(&totals.failed),
        "seconds": seconds,
        "bytes": bytes,
        "units": get(&totals.units),
        "stalls": get(&totals.stalls),
        "join_p50_ms": part(50),
        "join_p99_ms": part(99),
        "client_cpu_s_per_s": (usage(std::process::id())?.0 - own.0) / seconds,
        "cache_cpu_s_per_s": (cpu_of(&options.cache)? - cache) / seconds,
    });
    if let (Some(before), Some(after), Some(report)) = (before, after, report.as_object_mut()) {
        let cpu = after.0 - before.0;
        let figures = json!({
            "server_cpu_s_per_s": cpu / seconds,
            "server_cpu_ns_per_byte": cpu * 1e9 / bytes.max(1) as f64,
            "server_cpu_us_per_viewer_second": cpu * 1e6 / seconds / options.viewers as f64,
            "server_resident_kb": after.1,
        });
        report.extend(figures.as_object().cloned().unwrap_or_default());
    }
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

/// Returns the CPU time in seconds and the resident memory in KiB of a process.
fn usage(pid: u32) -> Result<(f64, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(") ").context("stat")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok()).context("stat");
    // Linux counts in hundredths of a second.
    let cpu = (ticks(11)? + ticks(12)?) / 100.0;
    let pages: u64 = fields.get(21).and_then(|it| it.parse().ok()).context("stat")?;
    Ok((cpu, pages * 4))
}

/// Returns the CPU time in seconds of several processes together.
fn cpu_of(pids: &[u32]) -> Result<f64> {
    pids.iter().map(|pid| usage(*pid).map(|(cpu, _)| cpu)).sum()
}

/// A connection that is kept for all requests of a viewer.
struct Http<'a> {
    options: &'a Options,
    stream: BufReader<TcpStream>,
}

impl<'a> Http<'a> {
    async fn open(options: &'a Options) -> Result<Self> {
        let stream = TcpStream::connect(&options.address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { options, stream: BufReader::new(stream) })
    }

    /// Sends a request, and returns the status and body of the response.
    async fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<(u16, Vec<u8>)> {
        let (host, length) = (&self.options.address, body.len());
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let (mut status, mut size) = (0, None);
        loop {
            let mut line = String::new();
            ensure!(self.stream.read_line(&mut line).await? > 0, "the server closed");
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(code) = line.strip_prefix("HTTP/1.1 ") {
                status = code.get(..3).and_then(|code| code.parse().ok()).context("a status")?;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                size = Some(value.trim().parse()?);
            }
        }
        let mut answer = vec![0; size.context("an answer without a length")?];
        self.stream.read_exact(&mut answer).await?;
        Ok((status, answer))
    }

    async fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        let (status, body) = self.ask("GET", path, "").await?;
        ensure!(status == 200, "{path}: {status}");
        Ok(body)
    }

    async fn list(&mut self, query: &str) -> Result<(Media, usize)> {
        let body = self.get(&format!("{}/hls/main.m3u8{query}", self.options.path)).await?;
        match parse(&body) {
            Ok(Playlist::Media(media)) => Ok((media, body.len())),
            _ => bail!("no media playlist"),
        }
    }
}

/// Plays like a low-latency player: requests each playlist as soon as it can change, and each part.
async fn watch_hls(options: &Options, totals: &Totals) -> Result<()> {
    let begun = Instant::now();
    let mut http = Http::open(options).await?;
    let (mut media, _) = http.list("").await?;
    let mut last = None;
    loop {
        let (number, part) = (media.end(), media.pending.len());
        let since = Instant::now();
        let (next, size) = http.list(&format!("?_HLS_msn={number}&_HLS_part={part}")).await?;
        totals.count(size, since.elapsed());
        media = next;
        // The newest part: of the growing segment or, if that has none, the last part of the
        // segment before.
        let parts = media.pending.last();
        let complete = media.end().checked_sub(1).and_then(|number| media.segment(number));
        let uri =
            parts.or_else(|| complete.and_then(|it| it.parts.last())).map(|it| it.uri.clone());
        let Some(uri) = uri.filter(|uri| last.as_ref() != Some(uri)) else { continue };
        let since = Instant::now();
        let body = http.get(&format!("{}/hls/{uri}", options.path)).await?;
        totals.count(body.len(), since.elapsed());
        if last.replace(uri).is_none() {
            totals.join(begun);
        }
    }
}

/// Plays over WebRTC: receives and decrypts the packets of frames, but does not decode them.
async fn watch_whep(options: &Options, totals: &Totals, certificate: &Certificate) -> Result<()> {
    let begun = Instant::now();
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let local = socket.local_addr()?;
    let mut rtc = Rtc::builder()
        .set_crypto_provider(crypto())
        .set_dtls_cert(certificate.for_dtls())
        .set_rtp_mode(true)
        .build(begun);
    rtc.add_local_candidate(Candidate::host(local, "udp")?);
    let mut change = rtc.sdp_api();
    for kind in [MediaKind::Video, MediaKind::Audio] {
        change.add_media(kind, Direction::RecvOnly, None, None, None);
    }
    let (offer, pending) = change.apply().context("an offer")?;
    let mut http = Http::open(options).await?;
    let path = format!("{}/whep", options.path);
    let (status, answer) = http.ask("POST", &path, &offer.to_sdp_string()).await?;
    let answer = String::from_utf8(answer)?;
    ensure!(status == 201, "{status}: {answer}");
    let answer = SdpAnswer::from_sdp_string(&answer)?;
    rtc.sdp_api().accept_answer(pending, answer)?;
    let (mut buffer, mut last) = (vec![0; 2_048], None::<Instant>);
    loop {
        let until = match rtc.poll_output()? {
            Output::Timeout(until) => until,
            Output::Transmit(transmit) => {
                socket.send_to(&transmit.contents, transmit.destination).await?;
                continue;
            }
            Output::Event(Event::RtpPacket(packet)) => {
                let now = Instant::now();
                let before = last.replace(now);
                if before.is_none() {
                    totals.join(begun);
                }
                totals.count(packet.payload.len(), before.map_or(Duration::ZERO, |it| now - it));
                continue;
            }
            Output::Event(_) => continue,
        };
        let wait = until.saturating_duration_since(Instant::now());
        let received = timeout(wait, socket.recv_from(&mut buffer)).await;
        let now = Instant::now();
        let input = match received {
            Ok(received) => {
                let (length, source) = received?;
                let contents = buffer.get(..length).unwrap_or_default().try_into()?;
                let destination: SocketAddr = local;
                Input::Receive(now, Receive { proto: Protocol::Udp, source, destination, contents })
            }
            Err(_) => Input::Timeout(now),
        };
        rtc.handle_input(input)?;
        ensure!(rtc.is_alive(), "the connection has ended");
    }
}
