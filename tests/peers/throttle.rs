//! A slow link: a TCP relay on 127.0.0.1 that limits the bytes per second in one direction.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// After a pause that is longer than this, the relay does not catch up.
const LATE: Duration = Duration::from_millis(50);

/// A running relay, which ends with the test process.
#[derive(Debug)]
pub struct Throttle {
    pub port: u16,
    bytes_per_second: Arc<AtomicU64>,
}

impl Throttle {
    /// Relays to a port, and limits the rate towards it. The other direction is not limited.
    pub fn start(to: u16, bits_per_second: u64) -> Self {
        Self::start_one_way(to, bits_per_second, false)
    }

    /// Relays to a port, and limits the rate of the data that come from it. The direction to the
    /// port is not limited.
    pub fn start_back(to: u16, bits_per_second: u64) -> Self {
        Self::start_one_way(to, bits_per_second, true)
    }

    fn start_one_way(to: u16, bits_per_second: u64, back: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let rate = Arc::new(AtomicU64::new(bits_per_second / 8));
        let shared = Arc::clone(&rate);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)) else { continue };
                let (from, into) = if back { (far, near) } else { (near, far) };
                // A large receive buffer would hide the slow link for seconds.
                let _ = socket2::SockRef::from(&from).set_recv_buffer_size(16 << 10);
                let (there, here) = (into.try_clone().unwrap(), from.try_clone().unwrap());
                let shared = Arc::clone(&shared);
                thread::spawn(move || slowly(from, into, &shared));
                thread::spawn(move || freely(there, here));
            }
        });
        Self { port, bytes_per_second: rate }
    }

    /// Changes the rate; with 0, no data is relayed.
    pub fn set(&self, bits_per_second: u64) {
        self.bytes_per_second.store(bits_per_second / 8, Ordering::Relaxed);
    }
}

fn slowly(mut from: TcpStream, mut to: TcpStream, rate: &AtomicU64) {
    let mut buffer = [0; 2_048];
    let mut due = Instant::now();
    while let Ok(length) = from.read(&mut buffer) {
        while length > 0 && rate.load(Ordering::Relaxed) == 0 {
            thread::sleep(Duration::from_millis(2));
        }
        if length == 0 || to.write_all(&buffer[..length]).is_err() {
            break;
        }
        let rate = rate.load(Ordering::Relaxed).max(1);
        // A short delay on a busy computer is made up for. A pause without data is not.
        let now = Instant::now();
        if now.saturating_duration_since(due) > LATE {
            due = now;
        }
        due += Duration::from_secs_f64(length as f64 / rate as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

fn freely(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(std::net::Shutdown::Both);
}
