//! An RTMP server that behaves as a test asks, and a stream to send to it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use onair::base::queue::{self, Full, Sender};
use onair::base::{Clock, Timestamp};
use onair::broadcast::{Hub, Publisher, SequenceHeaders, SharedPacket, Target};
use onair::media::{
    AudioCodec, AudioConfig, BitsPerSecond, EncodedPacket, FrameRate, Rotation, Size, StreamConfig,
    Track, VideoCodec, VideoConfig,
};
use onair::net::Runtime;
use onair::wire::amf0::Value;
use onair::wire::rtmp::command::Enhanced;
use onair::wire::rtmp::server::{Config, Event, Output, Session};
use onair::wire::rtmp::status::Status;
use onair::wire::rtmp::url::Url;

use crate::peers::LIMIT;

/// Polls until the condition holds; fails after the limit.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// How a server treats a client.
#[derive(Clone, Debug)]
pub enum Behavior {
    Accept,
    /// Reads nothing after publishing has begun, until [`Server::release`].
    Slow,
    /// Like `Slow`, and sends this status after the first video message.
    SlowThenSays(Status),
    /// Accepts the connection and sends nothing.
    Silent,
    /// Completes the handshake and sends nothing more.
    Mute,
    Hangup,
    HangupAtPublish,
    Bytes(Vec<u8>),
    RejectConnect(Status),
    /// Redirects clients while they connect.
    Redirect(String),
    RejectPublish(Status),
    /// Announces that it supports only this codec.
    Takes(&'static str),
    /// Announces no Enhanced RTMP, and closes the connection after so many video messages.
    Old(usize),
    DieAfterVideo(usize),
    SayAfterVideo(usize, Status),
    SendElsewhere(String),
    /// Asks clients to reconnect without giving an address.
    SendBack,
}

/// A received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Metadata,
    Video { time_ms: u32, start: [u8; 2] },
    Audio { time_ms: u32, start: [u8; 2] },
}

impl Message {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Video { start: [_, 0], .. } => "video header",
            Self::Video { start: [0x17, _], .. } => "keyframe",
            Self::Video { .. } => "picture",
            Self::Audio { start: [_, 0], .. } => "audio header",
            Self::Audio { .. } => "sound",
        }
    }
}

/// What one client sent.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    pub messages: Vec<Message>,
    pub unpublished: bool,
    pub tc_url: String,
    /// How many bytes had been received when each message was complete, to within [`Server::READ`].
    pub places: Vec<u64>,
}

impl Connection {
    /// The kinds of the first four messages; the order of the two headers does not matter.
    pub fn head(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.messages.iter().take(4).map(Message::name).collect();
        if let Some(headers) = names.get_mut(1..3) {
            headers.sort_unstable();
        }
        names
    }

    /// Times of the video packets.
    pub fn video(&self) -> Vec<u32> {
        let time = |message: &Message| match message {
            Message::Video { time_ms, start: [_, 1] } => Some(*time_ms),
            _ => None,
        };
        self.messages.iter().filter_map(time).collect()
    }

    /// Times of the audio packets.
    pub fn audio(&self) -> Vec<u32> {
        let time = |message: &Message| match message {
            Message::Audio { time_ms, start: [_, 1] } => Some(*time_ms),
            _ => None,
        };
        self.messages.iter().filter_map(time).collect()
    }
}

/// A server with a chosen behavior.
pub struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Connection>>>,
    over: Arc<AtomicBool>,
    released: Arc<AtomicBool>,
}

impl Server {
    /// The number of bytes per read.
    pub const READ: usize = 512;

    /// Starts the server; `behavior` is called for each client, counted from 0.
    pub fn start(behavior: impl Fn(usize) -> Behavior + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        // A small receive buffer, so that little data reaches a server that does not read.
        socket2::SockRef::from(&listener).set_recv_buffer_size(4_096).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let released = Arc::new(AtomicBool::new(false));
        let server = Self {
            address,
            seen: Arc::clone(&seen),
            over: Arc::clone(&over),
            released: Arc::clone(&released),
        };
        thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let Ok((stream, _)) = listener.accept() else {
                    thread::sleep(Duration::from_millis(2));
                    continue;
                };
                let index = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(Connection::default());
                    seen.len() - 1
                };
                let behavior = behavior(index);
                let (seen, over) = (Arc::clone(&seen), Arc::clone(&over));
                let released = Arc::clone(&released);
                thread::spawn(move || {
                    let caller = Caller { stream, index, seen, over, released, received: 0 };
                    caller.serve(&behavior);
                });
            }
        });
        server
    }

    pub fn app_url(&self) -> String {
        format!("rtmp://{}/live", self.address)
    }

    pub fn connections(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    pub fn connection(&self, index: usize) -> Connection {
        self.seen.lock().unwrap().get(index).cloned().unwrap_or_default()
    }

    /// From now on, slow servers read.
    pub fn release(&self) {
        self.released.store(true, Ordering::Relaxed);
    }

    /// From now on, slow servers do not read.
    pub fn hold(&self) {
        self.released.store(false, Ordering::Relaxed);
    }
}

/// Starts a server that answers with the address of a second server, which answers with that of the
/// first.
pub fn two_that_name_each_other(
    answer: impl Fn(String) -> Behavior + Copy + Send + 'static,
) -> [Server; 2] {
    // The address of the second server is known only after it has started.
    let slot = Arc::new(OnceLock::<String>::new());
    let known = Arc::clone(&slot);
    let first = Server::start(move |_| answer(known.get().unwrap().clone()));
    let back = first.app_url();
    let second = Server::start(move |_| answer(back.clone()));
    slot.set(second.app_url()).unwrap();
    [first, second]
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // When this returns, nothing listens any more.
        wait_for("the listener's end", || TcpStream::connect(self.address).is_err());
    }
}

/// Nothing has arrived yet, or the process was stopped and continues.
fn is_wait(error: &std::io::Error) -> bool {
    use ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

struct Caller {
    stream: TcpStream,
    index: usize,
    seen: Arc<Mutex<Vec<Connection>>>,
    over: Arc<AtomicBool>,
    released: Arc<AtomicBool>,
    received: u64,
}

impl Caller {
    fn serve(mut self, behavior: &Behavior) {
        self.stream.set_nonblocking(false).unwrap();
        self.stream.set_nodelay(true).unwrap();
        self.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        match behavior {
            Behavior::Hangup => return,
            Behavior::Bytes(bytes) => {
                let _ = self.stream.write_all(bytes);
                self.linger();
                return;
            }
            Behavior::Silent => {
                while !self.over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(5));
                }
                return;
            }
            _ => {}
        }
        let clock = Clock::start();
        let mut config = Config::default();
        if let Behavior::Takes(codec) = behavior {
            let four_cc_list = vec![(*codec).to_owned()];
            config.enhanced = Enhanced { four_cc_list, ..Enhanced::default() };
        }
        if let Behavior::Old(_) = behavior {
            config.enhanced = Enhanced::default();
        }
        let mut session = Session::new(config, clock.now(), 1);
        let mut buffer = [0; Server::READ];
        let mut videos = 0;
        while !self.over.load(Ordering::Relaxed) {
            loop {
                match session.poll_output() {
                    Output::Transmit(bytes) => {
                        if self.stream.write_all(&bytes).is_err() {
                            return;
                        }
                    }
                    Output::Event(event) => {
                        if !self.handle(&mut session, event, behavior, &mut videos) {
                            self.linger();
                            return;
                        }
                    }
                    _ => break,
                }
            }
            let slow = matches!(behavior, Behavior::Slow | Behavior::SlowThenSays(_))
                && session.is_publishing();
            if slow && !self.released.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
                continue;
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => {
                    self.received += length as u64;
                    if session.handle_input(clock.now(), &buffer[..length]).is_err() {
                        return;
                    }
                }
                Err(error) if is_wait(&error) => {}
                Err(_) => return,
            }
        }
    }

    fn note(&self, note: impl FnOnce(&mut Connection)) {
        note(&mut self.seen.lock().unwrap()[self.index]);
    }

    fn arrived(&self, message: Message) {
        self.note(|seen| {
            seen.messages.push(message);
            seen.places.push(self.received);
        });
    }

    /// Returns `false` to close the connection.
    fn handle(
        &self,
        session: &mut Session,
        event: Event,
        behavior: &Behavior,
        videos: &mut usize,
    ) -> bool {
        let start = |body: &Bytes| [body[0], body[1]];
        match (event, behavior) {
            (Event::ConnectRequested(_), Behavior::Mute) => {}
            (Event::ConnectRequested(connect), Behavior::RejectConnect(status)) => {
                self.note(|seen| seen.tc_url.clone_from(&connect.tc_url));
                session.reject_connect(status);
            }
            (Event::ConnectRequested(_), Behavior::Redirect(there)) => {
                session.redirect_connect(there);
            }
            (Event::ConnectRequested(connect), _) => {
                self.note(|seen| seen.tc_url.clone_from(&connect.tc_url));
                session.accept_connect().unwrap();
            }
            (Event::PublishRequested { .. }, Behavior::HangupAtPublish) => return false,
            (Event::PublishRequested { .. }, Behavior::RejectPublish(status)) => {
                session.reject_publish(status);
            }
            (Event::PublishRequested { .. }, _) => session.accept_publish().unwrap(),
            (Event::PlayRequested { .. }, Behavior::SendElsewhere(there)) => {
                session.accept_play().unwrap();
                session.request_reconnect(Some(there), "maintenance");
            }
            (Event::Metadata { .. }, _) => {
                self.arrived(Message::Metadata);
            }
            (Event::Video { time_ms, body }, _) => {
                let start = start(&body);
                self.arrived(Message::Video { time_ms, start });
                *videos += 1;
                match behavior {
                    Behavior::DieAfterVideo(count) | Behavior::Old(count) if videos == count => {
                        let _ = self.stream.shutdown(Shutdown::Both);
                        return false;
                    }
                    Behavior::SayAfterVideo(count, status) if videos == count => {
                        session.send_status(status);
                    }
                    Behavior::SlowThenSays(status) if *videos == 1 => session.send_status(status),
                    Behavior::SendElsewhere(there) if *videos == 5 => {
                        session.request_reconnect(Some(there), "maintenance");
                    }
                    Behavior::SendBack if *videos == 5 => {
                        session.request_reconnect(None, "maintenance");
                    }
                    _ => {}
                }
            }
            (Event::Audio { time_ms, body }, _) => {
                let start = start(&body);
                self.arrived(Message::Audio { time_ms, start });
            }
            (Event::Unpublished, _) => self.note(|connection| connection.unpublished = true),
            (Event::Finished, _) => return false,
            _ => {}
        }
        true
    }

    /// Reads until the other side closes, so that closing does not reset the connection.
    fn linger(mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let mut sink = [0; 4096];
        while !self.over.load(Ordering::Relaxed) {
            match self.stream.read(&mut sink) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if is_wait(&error) => {}
                Err(_) => return,
            }
        }
    }
}

/// A target on that server; the key is `secret-key-1`.
pub fn target(server: &Server) -> Target {
    Target::new(Url::with_key(&server.app_url(), "secret-key-1").unwrap())
}

/// A hub with a synthetic stream: video every 40 ms, a keyframe every 2 s, audio every 20 ms.
pub struct Show {
    runtime: Runtime,
    clock: Clock,
    hub: Hub,
    packets: Option<Sender<EncodedPacket>>,
    frame_bytes: usize,
}

/// Feeds in real time until stopped.
pub struct Feeder {
    over: Arc<AtomicBool>,
    thread: thread::JoinHandle<()>,
}

impl Feeder {
    pub fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

impl Show {
    pub fn start() -> Self {
        Self::start_with_frames_of(400)
    }

    pub fn start_with_frames_of(frame_bytes: usize) -> Self {
        let (packets, input) = queue::bounded("packets", 64, Full::Block);
        let hub = Hub::spawn(config(), input).unwrap();
        let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
        Self { runtime, clock, hub, packets: Some(packets), frame_bytes }
    }

    /// Publishes an HEVC passthrough stream of two frames.
    pub fn publish_hevc(&self, target: Target) -> (Publisher, Hub) {
        let (publisher, hub, _) = self.publish_open_hevc(target);
        (publisher, hub)
    }

    /// Publishes an HEVC passthrough stream of two frames, which ends when the sender is dropped.
    pub fn publish_open_hevc(&self, target: Target) -> (Publisher, Hub, Sender<SharedPacket>) {
        let (tags, input) = queue::bounded("tags", 64, Full::Block);
        let head = SequenceHeaders {
            metadata: Value::ecma_array([]),
            config_bodies: vec![(Track::Video, Bytes::from_static(b"\x90hvc1\x01"))],
            bitrate: None,
            has_video: true,
            config: StreamConfig::default(),
        };
        let hub = Hub::spawn_copy(head, input).unwrap();
        for at in [0, 40] {
            let dts = Timestamp::from_millis(at);
            let body = Bytes::from_static(b"\x93hvc1\x01\x02");
            let data = body.slice(5..);
            let packet = EncodedPacket::received(Track::Video, (dts, dts), true, data);
            tags.send(SharedPacket::with_body(packet, body)).unwrap();
        }
        (Publisher::start(&self.runtime, target, &hub, self.clock), hub, tags)
    }

    pub fn publish(&self, target: Target) -> Publisher {
        Publisher::start(&self.runtime, target, &self.hub, self.clock)
    }

    /// Feeds the stream from one time to another (exclusive), in milliseconds, without waiting.
    pub fn feed(&self, from: i64, to: i64) {
        let packets = self.packets.as_ref().unwrap();
        for at in (from..to).step_by(20) {
            send(packets, at, self.frame_bytes);
        }
    }

    /// Feeds the stream in real time.
    pub fn feed_live(&self, from: i64) -> Feeder {
        let over = Arc::new(AtomicBool::new(false));
        let (packets, frame_bytes) = (self.packets.clone().unwrap(), self.frame_bytes);
        let at = Arc::new(AtomicI64::new(from));
        let its_over = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let start = Instant::now();
            while !its_over.load(Ordering::Relaxed) {
                let due = from + i64::try_from(start.elapsed().as_millis()).unwrap();
                while at.load(Ordering::Relaxed) <= due {
                    send(&packets, at.fetch_add(20, Ordering::Relaxed), frame_bytes);
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        Feeder { over, thread }
    }

    /// Ends the stream.
    pub fn end(&mut self) {
        self.packets = None;
    }
}

fn send(packets: &Sender<EncodedPacket>, at: i64, frame_bytes: usize) {
    if at % 40 == 0 {
        packets.send(packet(Track::Video, at, frame_bytes)).unwrap();
    }
    packets.send(packet(Track::Audio, at, 200)).unwrap();
}

fn packet(track: Track, at: i64, bytes: usize) -> EncodedPacket {
    // Session time does not start with the stream.
    let time = Timestamp::from_millis(123_456 + at);
    let keyframe = track == Track::Audio || at % 2_000 == 0;
    EncodedPacket::received(track, (time, time), keyframe, vec![7; bytes].into())
}

fn config() -> StreamConfig {
    StreamConfig {
        video: Some(VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::new(25, 1).unwrap(),
            bitrate: BitsPerSecond(2_500_000),
            codec_config: Bytes::from_static(&[1, 100, 0, 30, 0xff, 0xe0, 0]),
            pixel_aspect: None,
            rotation: Rotation::None,
        }),
        audio: Some(AudioConfig {
            codec: AudioCodec::Aac,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(128_000),
            codec_config: Bytes::from_static(&[0x11, 0x90]),
        }),
    }
}
