//! A load client for RTMP servers. It publishes one stream, in which each message contains the time
//! at which it was sent, and plays the stream with many players. It reports the delivered bytes, the
//! latency, and the CPU time and memory of the server. The client has one process and one thread, so
//! that all times come from one clock, and the client needs little CPU time.
//!
//! `onair-load --url rtmp://127.0.0.1:1935/live/bench --players 200 --seconds 20 --pid PID`
//!
//! The client works the same with every server. When the system reports that data has arrived, a
//! player reads until nothing is left. Players send acknowledgements as the protocol requires, and
//! do not wait for each other. The publisher sends each message with a separate system call.
//! Latency is the time from that call until a player has the complete video or audio message,
//! including the time that the client itself needs.
//!
//! With `--flv http://HOST:PORT/PATH`, the players get the stream by HTTP-FLV.
//!
//! First the players join one by one, then `--settle` seconds pass, then `--seconds` are measured,
//! then `--joins` late players come one after the other, each waiting for its first keyframe.
//! The report is one JSON object on standard output.

mod command;
mod connection;
mod flv;
mod process;
mod stream;

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use connection::{Connection, Role, Seen};
use mio::{Events, Interest, Poll, Token};
use process::Process;
use stream::Stream;

/// The options on the command line.
struct Options {
    address: SocketAddr,
    app: String,
    name: String,
    tc_url: String,
    players: usize,
    settle: Duration,
    length: Duration,
    joins: usize,
    pid: Option<u32>,
    bitrate: u32,
    /// True to send each message at its own time, instead of in bursts like software that
    /// multiplexes.
    smooth: bool,
    /// Where players get FLV by HTTP: address, path and `Host`.
    flv: Option<(SocketAddr, String, String)>,
}

const USAGE: &str = "usage: onair-load --url rtmp://HOST:PORT/APP/STREAM [--players 200] \
    [--seconds 20] [--settle 3] [--joins 40] [--bitrate 2500000] [--smooth 1] \
    [--flv http://HOST:PORT/PATH] [--pid SERVER]";

fn main() {
    let options = match options() {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            std::process::exit(2);
        }
    };
    if let Err(why) = run(&options) {
        eprintln!("onair-load: {why}");
        std::process::exit(1);
    }
}

fn options() -> Result<Options, String> {
    let mut values = HashMap::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let name = word.strip_prefix("--").ok_or(format!("'{word}' is no option"))?.to_owned();
        values.insert(name, words.next().ok_or(format!("{word} needs a value"))?);
    }
    let mut number = |name: &str, default: f64| match values.remove(name) {
        Some(text) => text.parse::<f64>().map_err(|_| format!("--{name}: not a number: {text}")),
        None => Ok(default),
    };
    let players = number("players", 200.0)? as usize;
    let length = Duration::from_secs_f64(number("seconds", 20.0)?);
    let settle = Duration::from_secs_f64(number("settle", 3.0)?);
    let joins = number("joins", 40.0)? as usize;
    let bitrate = number("bitrate", 2_500_000.0)? as u32;
    let smooth = number("smooth", 0.0)? != 0.0;
    let pid = number("pid", 0.0)? as u32;
    let url = values.remove("url").ok_or("--url is missing")?;
    let flv = values.remove("flv").map(|url| by_http(&url)).transpose()?;
    if let Some(name) = values.keys().next() {
        return Err(format!("--{name} is unknown"));
    }
    let rest = url.strip_prefix("rtmp://").ok_or("the URL does not begin with rtmp://")?;
    let mut parts = rest.splitn(3, '/');
    let (host, app, name) = match (parts.next(), parts.next(), parts.next()) {
        (Some(host), Some(app), Some(name)) => (host, app, name),
        _ => return Err("the URL needs an application and a stream".into()),
    };
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:1935") };
    Ok(Options {
        address: resolve(&host)?,
        tc_url: format!("rtmp://{host}/{app}"),
        app: app.to_owned(),
        name: name.to_owned(),
        players,
        settle,
        length,
        joins,
        pid: (pid != 0).then_some(pid),
        bitrate,
        smooth,
        flv,
    })
}

fn resolve(host: &str) -> Result<SocketAddr, String> {
    let mut addresses = host.to_socket_addrs().map_err(|error| format!("{host}: {error}"))?;
    addresses.next().ok_or_else(|| format!("{host} has no address"))
}

fn by_http(url: &str) -> Result<(SocketAddr, String, String), String> {
    let rest = url.strip_prefix("http://").ok_or("--flv: the URL does not begin with http://")?;
    let (host, path) = rest.split_once('/').ok_or("--flv: the URL needs a path")?;
    Ok((resolve(host)?, format!("/{path}"), host.to_owned()))
}

/// Everything that runs.
struct Load<'a> {
    options: &'a Options,
    poll: Poll,
    origin: Instant,
    publisher: Connection,
    stream: Stream,
    players: Vec<Connection>,
    /// Milliseconds from sending to receiving, for each message of each player during the
    /// measurement.
    latencies: Vec<f32>,
    measuring: bool,
    bytes: u64,
}

const PUBLISHER: Token = Token(0);

fn run(options: &Options) -> io::Result<()> {
    let origin = Instant::now();
    let poll = Poll::new()?;
    let publisher = open(options, Role::Publish, &poll, PUBLISHER)?;
    let mut load = Load {
        options,
        poll,
        origin,
        publisher,
        stream: Stream::new(options.bitrate, options.smooth),
        players: Vec::new(),
        latencies: Vec::new(),
        measuring: false,
        bytes: 0,
    };
    load.turn_until("the publisher is accepted", Duration::from_secs(10), |load| {
        load.publisher.ready()
    })?;
    load.stream.start(origin.elapsed());
    load.turn_for(Duration::from_millis(500))?;
    for index in 0..options.players {
        let token = Token(index + 1);
        let player = open(options, Role::Play, &load.poll, token)?;
        load.players.push(player);
        load.turn_for(Duration::from_millis(5))?;
    }
    load.turn_until("every player has a keyframe", Duration::from_secs(20), |load| {
        load.players.iter().all(|player| player.first_keyframe.is_some())
    })?;
    load.turn_for(options.settle)?;

    let before = options.pid.map(Process::read).transpose()?;
    let own_before = Process::read(std::process::id())?;
    let start = Instant::now();
    (load.measuring, load.bytes) = (true, 0);
    load.turn_for(options.length)?;
    load.measuring = false;
    let seconds = start.elapsed().as_secs_f64();
    let after = options.pid.map(Process::read).transpose()?;
    let own = Process::read(std::process::id())?.cpu - own_before.cpu;

    let lost = load.players.iter().filter(|player| player.ended()).count();
    let (from_connect, from_play) = load.join_late()?;
    let server = match (before, after) {
        (Some(before), Some(after)) => format!(
            ",\"server_cpu_s_per_s\":{:.5},\"server_cpu_ns_per_byte\":{:.4},\"server_rss_kb\":{}",
            (after.cpu - before.cpu) / seconds,
            (after.cpu - before.cpu) / load.bytes.max(1) as f64 * 1e9,
            after.rss_kb
        ),
        _ => String::new(),
    };
    println!(
        "{{\"players\":{},\"lost\":{lost},\"seconds\":{seconds:.2},\"delivered_bytes\":{},\
         \"expected_bytes\":{:.0},\"latency_ms\":{},\"join_ms\":{},\"play_to_keyframe_ms\":{},\
         \"client_cpu_s_per_s\":{:.5}{server}}}",
        load.players.len(),
        load.bytes,
        load.stream.bytes_per_second() * seconds * options.players as f64,
        spread(&mut load.latencies),
        spread(&mut from_connect.clone()),
        spread(&mut from_play.clone()),
        own / seconds,
    );
    Ok(())
}

/// Returns the median and the tail of a series, as JSON.
fn spread(values: &mut [f32]) -> String {
    values.sort_by(f32::total_cmp);
    let at = |part: f64| -> f32 {
        let index = ((values.len() as f64 * part) as usize).min(values.len().saturating_sub(1));
        values.get(index).copied().unwrap_or(f32::NAN)
    };
    if values.is_empty() {
        return "null".to_owned();
    }
    format!(
        "{{\"n\":{},\"p50\":{:.3},\"p90\":{:.3},\"p99\":{:.3},\"max\":{:.3}}}",
        values.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    )
}

fn open(options: &Options, role: Role, poll: &Poll, token: Token) -> io::Result<Connection> {
    let mut connection = match &options.flv {
        Some((address, path, host)) if role == Role::Play => {
            Connection::open(*address, Role::PlayFlv, path, host, "")?
        }
        _ => Connection::open(options.address, role, &options.app, &options.name, &options.tc_url)?,
    };
    poll.registry().register(
        connection.socket(),
        token,
        Interest::READABLE | Interest::WRITABLE,
    )?;
    Ok(connection)
}

impl Load<'_> {
    /// Runs the test for this time.
    fn turn_for(&mut self, length: Duration) -> io::Result<()> {
        let end = Instant::now() + length;
        while Instant::now() < end {
            self.turn(end)?;
        }
        Ok(())
    }

    fn turn_until(
        &mut self,
        what: &str,
        limit: Duration,
        done: impl Fn(&Self) -> bool,
    ) -> io::Result<()> {
        let end = Instant::now() + limit;
        while !done(self) {
            if Instant::now() >= end {
                return Err(io::Error::other(format!("waited {limit:?} in vain until {what}")));
            }
            self.turn(end)?;
        }
        Ok(())
    }

    /// Sends the due messages, waits for the next event, and reads the received data.
    fn turn(&mut self, end: Instant) -> io::Result<()> {
        let now = self.origin.elapsed();
        while let Some(message) = self.stream.next_due(now) {
            let stamp = self.origin.elapsed();
            self.stream.write(message, stamp, self.publisher.stream_id(), self.publisher.output());
            self.publisher.flush()?;
        }
        let wait = self
            .stream
            .due()
            .map_or(Duration::from_millis(5), |due| due.saturating_sub(self.origin.elapsed()))
            .min(end.saturating_duration_since(Instant::now()));
        let mut events = Events::with_capacity(1_024);
        match self.poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &events {
            let origin = self.origin;
            if event.token() == PUBLISHER {
                self.publisher.take(|_| {})?;
                if self.publisher.ended() {
                    return Err(io::Error::other("the server closed the publisher's connection"));
                }
                continue;
            }
            let Some(player) = self.players.get_mut(event.token().0 - 1) else { continue };
            let (latencies, measuring, bytes) =
                (&mut self.latencies, self.measuring, &mut self.bytes);
            player.take(|seen| match seen {
                Seen::Bytes(count) if measuring => *bytes += count as u64,
                Seen::Stamp(stamp) if measuring => {
                    let late = origin.elapsed().saturating_sub(Duration::from_nanos(stamp));
                    latencies.push(late.as_secs_f32() * 1e3);
                }
                _ => {}
            })?;
        }
        Ok(())
    }

    /// Lets late players join one after another. Returns the milliseconds until each has its first
    /// complete keyframe, counted from its connect and from its play command.
    fn join_late(&mut self) -> io::Result<(Vec<f32>, Vec<f32>)> {
        let (mut from_connect, mut from_play) = (Vec::new(), Vec::new());
        for index in 0..self.options.joins {
            // The joins are spread evenly over the two seconds between keyframes.
            let phase = Duration::from_secs_f64(index as f64 * 2.0 * 0.618 % 2.0);
            let passed = Duration::from_nanos(
                (self.origin.elapsed().as_nanos() % 2_000_000_000).try_into().unwrap_or(0),
            );
            let wait = (phase + Duration::from_secs(2)).saturating_sub(passed);
            self.turn_for(wait.checked_sub(Duration::from_secs(2)).unwrap_or(wait))?;
            let token = Token(self.players.len() + 1);
            let player = open(self.options, Role::Play, &self.poll, token)?;
            self.players.push(player);
            self.turn_until("a late player has a keyframe", Duration::from_secs(10), |load| {
                load.players.last().is_some_and(|player| player.first_keyframe.is_some())
            })?;
            let Some(mut player) = self.players.pop() else { break };
            self.poll.registry().deregister(player.socket())?;
            let milliseconds = |from: Option<Instant>| {
                let first = player.first_keyframe?;
                Some(first.duration_since(from?).as_secs_f32() * 1e3)
            };
            from_connect.extend(milliseconds(Some(player.opened)));
            from_play.extend(milliseconds(player.asked));
        }
        Ok((from_connect, from_play))
    }
}
