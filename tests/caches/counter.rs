//! A proxy between a cache and the origin, which counts requests.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;

/// Counts the requests of a cache on their way to the origin.
pub(super) struct Counter {
    pub port: u16,
    pub requests: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Counter {
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<BTreeMap<String, u32>>>::default();
        let counted = Arc::clone(&requests);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)) else { continue };
                let (back, here) = (far.try_clone().unwrap(), near.try_clone().unwrap());
                let counted = Arc::clone(&counted);
                thread::spawn(move || pass_on(near, far, Some(&counted)));
                thread::spawn(move || pass_on(back, here, None));
            }
        });
        Self { port, requests }
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, counted: Option<&Mutex<BTreeMap<String, u32>>>) {
    let (mut buffer, mut head) = (vec![0; 64 << 10], Vec::new());
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if let Some(counted) = counted {
            head.extend_from_slice(&buffer[..length]);
            while let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                let text: Vec<u8> = head.drain(..end + 4).collect();
                let line = String::from_utf8_lossy(&text).lines().next().unwrap().to_owned();
                let path = line.split(' ').nth(1).unwrap().to_owned();
                *counted.lock().entry(path).or_default() += 1;
            }
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}
