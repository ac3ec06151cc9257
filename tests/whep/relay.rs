//! A bad network: a UDP relay on 127.0.0.1 that delays datagrams, loses some of them and limits the
//! rate.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// If the rate is limited, a datagram that would wait longer than this is lost.
const MAX_WAIT: Duration = Duration::from_millis(250);

/// The quality of the network in each direction.
#[derive(Copy, Clone)]
pub struct Network {
    pub delay: Duration,
    /// One of this many datagrams is lost.
    pub loss: Option<u32>,
}

/// A running relay, which ends with the test process.
pub struct Relay {
    pub port: u16,
    /// The limit towards the viewer in bits per second. Zero means no limit.
    rate: Arc<AtomicU64>,
    /// The same towards the server.
    rate_there: Arc<AtomicU64>,
    /// True while all datagrams are lost.
    cut: Arc<AtomicBool>,
}

impl Relay {
    /// Starts a relay to the port of the server.
    pub fn start(server: SocketAddr, network: Network) -> Self {
        let near = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let port = near.local_addr().unwrap().port();
        let rate = Arc::new(AtomicU64::new(0));
        let limit = Arc::clone(&rate);
        let rate_there = Arc::new(AtomicU64::new(0));
        let limit_there = Arc::clone(&rate_there);
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = Arc::clone(&cut);
        thread::spawn(move || {
            let mut viewers: HashMap<SocketAddr, Direction> = HashMap::new();
            let mut buffer = [0; 2_048];
            while let Ok((length, from)) = near.recv_from(&mut buffer) {
                if is_cut.load(Ordering::Relaxed) {
                    continue;
                }
                let there = viewers.entry(from).or_insert_with(|| {
                    let far = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
                    let limit_there = Arc::clone(&limit_there);
                    let there = Direction::start(Arc::clone(&far), server, network, limit_there);
                    let back = (Arc::clone(&near), from);
                    let is_cut = Arc::clone(&is_cut);
                    let mut back = Direction::start(back.0, back.1, network, Arc::clone(&limit));
                    thread::spawn(move || {
                        let mut buffer = [0; 2_048];
                        while let Ok(length) = far.recv(&mut buffer) {
                            if !is_cut.load(Ordering::Relaxed) {
                                back.pass(&buffer[..length]);
                            }
                        }
                    });
                    there
                });
                there.pass(&buffer[..length]);
            }
        });
        Self { port, rate, rate_there, cut }
    }

    /// Loses all datagrams, or none but those of the network.
    pub fn set_cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }

    /// Changes the rate towards the server, in bits per second. Zero means no limit.
    pub fn set_rate_there(&self, rate: u64) {
        self.rate_there.store(rate, Ordering::Relaxed);
    }

    /// Changes the rate towards the viewer, in bits per second.
    pub fn set_rate(&self, rate: u64) {
        self.rate.store(rate, Ordering::Relaxed);
    }
}

/// One direction of the traffic of one viewer.
struct Direction {
    network: Network,
    rate: Arc<AtomicU64>,
    /// The time at which the link is free again.
    free: Instant,
    random: u32,
    late: mpsc::SyncSender<(Instant, Vec<u8>)>,
}

impl Direction {
    fn start(
        socket: Arc<UdpSocket>,
        to: SocketAddr,
        network: Network,
        rate: Arc<AtomicU64>,
    ) -> Self {
        let (late, waiting) = mpsc::sync_channel::<(Instant, Vec<u8>)>(10_000);
        thread::spawn(move || {
            for (at, datagram) in waiting {
                thread::sleep(at.saturating_duration_since(Instant::now()));
                let _ = socket.send_to(&datagram, to);
            }
        });
        Self { network, rate, free: Instant::now(), random: 1, late }
    }

    fn pass(&mut self, datagram: &[u8]) {
        // xorshift with a fixed seed: each run loses the same datagrams.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        if self.network.loss.is_some_and(|one_in| self.random.is_multiple_of(one_in)) {
            return;
        }
        let now = Instant::now();
        let rate = self.rate.load(Ordering::Relaxed);
        self.free = self.free.max(now);
        if rate > 0 {
            if self.free.duration_since(now) > MAX_WAIT {
                return;
            }
            self.free += Duration::from_secs_f64(datagram.len() as f64 * 8.0 / rate as f64);
        }
        let _ = self.late.try_send((self.free + self.network.delay, datagram.to_vec()));
    }
}
