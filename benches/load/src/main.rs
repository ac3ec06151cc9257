//! A load client for RTMP servers. It publishes one stream, in which each message contains the time
//! at which it was sent, and plays the stream with many players. It reports the delivered bytes, the
//! latency, and the CPU time and memory of the server. One thread publishes and plays, so that all
//! times come from one clock, and the client needs little CPU time.
//!
//! `onair-load --url rtmp://127.0.0.1:1935/live/bench --players 200 --seconds 20 --pid PID`
//!
//! The client works the same with every server. When the system reports that data has arrived, a
//! player reads until nothing is left. Players send acknowledgements as the protocol requires, and
//! do not wait for each other. The publisher sends each message with a separate system call.
//! Latency is the time from that call until a player has the complete video or audio message,
//! including the time that the client itself needs.
//!
//! With `--flv http://HOST:PORT/PATH`, the players get the stream by HTTP-FLV. With `--no-publish`,
//! another program publishes the stream, and the client reports no latency.
//!
//! First the players join one by one, then `--settle` seconds pass, then `--seconds` are measured.
//! Then `--joins` late players come at a fixed interval, and each leaves after its first complete
//! keyframe. A second process plays these, because the first one needs time to read for all others.
//! The report is one JSON object on standard output.

mod command;
mod connection;
mod flv;
mod process;
mod stream;

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use connection::{Connection, Role, Seen};
use mio::{Events, Interest, Poll, Token};
use process::Process;
use stream::Stream;

/// Interval between late players. It is an irrational part of the two seconds between keyframes
/// (the golden ratio), so that the joins spread evenly over these two seconds.
const JOIN_INTERVAL: Duration = Duration::from_micros(123_607);
/// The options that have no value.
const FLAGS: [&str; 2] = ["no-publish", "joins-only"];

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
    /// False if another program publishes.
    publishes: bool,
    /// True in the second process.
    joins_only: bool,
}

const USAGE: &str = "usage: onair-load --url rtmp://HOST:PORT/APP/STREAM [--players 200] \
    [--seconds 20] [--settle 3] [--joins 200] [--bitrate 2500000] [--smooth 1] \
    [--flv http://HOST:PORT/PATH] [--no-publish] [--pid SERVER]";

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
        let value = match FLAGS.contains(&name.as_str()) {
            true => "1".to_owned(),
            false => words.next().ok_or(format!("{word} needs a value"))?,
        };
        values.insert(name, value);
    }
    let mut number = |name: &str, default: f64| match values.remove(name) {
        Some(text) => text.parse::<f64>().map_err(|_| format!("--{name}: not a number: {text}")),
        None => Ok(default),
    };
    let players = number("players", 200.0)? as usize;
    let length = Duration::from_secs_f64(number("seconds", 20.0)?);
    let settle = Duration::from_secs_f64(number("settle", 3.0)?);
    let joins = number("joins", 200.0)? as usize;
    let bitrate = number("bitrate", 2_500_000.0)? as u32;
    let smooth = number("smooth", 0.0)? != 0.0;
    let pid = number("pid", 0.0)? as u32;
    let publishes = number("no-publish", 0.0)? == 0.0;
    let joins_only = number("joins-only", 0.0)? != 0.0;
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
        publishes,
        joins_only,
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
    publisher: Option<Connection>,
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
    let mut load = Load {
        options,
        poll: Poll::new()?,
        origin: Instant::now(),
        publisher: None,
        stream: Stream::new(options.bitrate, options.smooth),
        players: Vec::new(),
        latencies: Vec::new(),
        measuring: false,
        bytes: 0,
    };
    if options.joins_only {
        println!("{}", load.join_late()?);
        return Ok(());
    }
    if options.publishes {
        load.publish()?;
    }
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
    let joins = load.turn_while_others_join()?;
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
         \"expected_bytes\":{:.0},\"latency_ms\":{},{joins},\"client_cpu_s_per_s\":{:.5}{server}}}",
        load.players.len(),
        load.bytes,
        load.stream.bytes_per_second() * seconds * options.players as f64,
        spread(&mut load.latencies),
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

/// Returns the times from this moment of each player to its first complete keyframe, in
/// milliseconds, as JSON.
fn waits(players: &[Connection], from: fn(&Connection) -> Option<Instant>) -> String {
    let wait = |player: &Connection| {
        Some(player.first_keyframe?.duration_since(from(player)?).as_secs_f32() * 1e3)
    };
    spread(&mut players.iter().filter_map(wait).collect::<Vec<f32>>())
}

impl Load<'_> {
    /// Begins to publish the stream.
    fn publish(&mut self) -> io::Result<()> {
        self.publisher = Some(open(self.options, Role::Publish, &self.poll, PUBLISHER)?);
        self.turn_until("the publisher is accepted", Duration::from_secs(10), |load| {
            load.publisher.as_ref().is_some_and(Connection::ready)
        })?;
        self.stream.start(self.origin.elapsed());
        self.turn_for(Duration::from_millis(500))
    }

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
        if let Some(publisher) = &mut self.publisher {
            while let Some(message) = self.stream.next_due(now) {
                let stamp = self.origin.elapsed();
                self.stream.write(message, stamp, publisher.stream_id(), publisher.output());
                publisher.flush()?;
            }
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
            let (origin, options) = (self.origin, self.options);
            if event.token() == PUBLISHER {
                let Some(publisher) = &mut self.publisher else { continue };
                publisher.take(|_| {})?;
                if publisher.ended() {
                    return Err(io::Error::other("the server closed the publisher's connection"));
                }
                continue;
            }
            let Some(player) = self.players.get_mut(event.token().0 - 1) else { continue };
            let (latencies, measuring, bytes) =
                (&mut self.latencies, self.measuring, &mut self.bytes);
            player.take(|seen| match seen {
                Seen::Bytes(count) if measuring => *bytes += count as u64,
                // The messages of another publisher contain no send time.
                Seen::Stamp(stamp) if measuring && options.publishes => {
                    let late = origin.elapsed().saturating_sub(Duration::from_nanos(stamp));
                    latencies.push(late.as_secs_f32() * 1e3);
                }
                _ => {}
            })?;
            if options.joins_only && player.first_keyframe.is_some() {
                player.leave();
            }
        }
        Ok(())
    }

    /// Runs the test while a second process lets late players join. Returns what that one reports.
    fn turn_while_others_join(&mut self) -> io::Result<String> {
        let mut others = Command::new(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .arg("--joins-only")
            .stdout(Stdio::piped())
            .spawn()?;
        while others.try_wait()?.is_none() {
            self.turn_for(Duration::from_millis(20))?;
        }
        let output = others.wait_with_output()?;
        if !output.status.success() {
            return Err(io::Error::other("the late players failed"));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Lets late players join. Returns their times until the first complete keyframe, from the
    /// connect and from the play command, as members of a JSON object.
    fn join_late(&mut self) -> io::Result<String> {
        let mut due = Instant::now();
        for index in 0..self.options.joins {
            self.turn_for(due.saturating_duration_since(Instant::now()))?;
            due += JOIN_INTERVAL;
            let player = open(self.options, Role::Play, &self.poll, Token(index + 1))?;
            self.players.push(player);
        }
        self.turn_until("every late player has a keyframe", Duration::from_secs(10), |load| {
            load.players.iter().all(|player| player.first_keyframe.is_some())
        })?;
        let from_connect = waits(&self.players, |player| Some(player.opened));
        let from_play = waits(&self.players, |player| player.asked);
        Ok(format!("\"join_ms\":{from_connect},\"play_to_keyframe_ms\":{from_play}"))
    }
}
