//! onair's side of an encoder process. Nothing that the process sends is believed: lengths, numbers
//! and times are checked, and every answer has a time limit.

use std::io;
use std::time::{Duration, Instant};

use crate::base::SharedMemory;
use crate::base::child_process::{self, HelperStream};
use crate::base::launcher::Helper;
use crate::encode::backend::process::connection::{receive, send};
use crate::encode::backend::process::trouble::{Packet, Trouble};
use crate::encode::backend::process::wire::{Reply, Request, Task};
use crate::media::{Planes, Size};

/// Time limit for opening: loading FFmpeg with its hundred libraries takes 0.2 s from a disk.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);
/// Time limit for a frame. Longer is a hang.
const FRAME_TIMEOUT: Duration = Duration::from_secs(2);
/// Time limit for all delayed frames at the end.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of packets for one frame, or for all delayed frames at the end.
const MAX_PACKETS: usize = 256;
/// Maximum size in bytes of all packets for one frame, or for all delayed frames at the end.
const MAX_PACKET_BYTES: usize = 32 << 20;

/// A running encoder process.
pub(in crate::encode) struct Client {
    socket: HelperStream,
    memory: SharedMemory,
    size: Size,
    /// The name and version of the library.
    pub library: String,
    /// The parameter sets in the library's form.
    pub header: Vec<u8>,
    /// The process, which is killed at the end. Tests have none.
    _helper: Option<Helper>,
}

impl Client {
    /// Starts a process for a task.
    pub fn open(task: Task) -> Result<Self, Trouble> {
        let not_started = |error: io::Error| match error.kind() {
            io::ErrorKind::Unsupported => Trouble::NoLauncher,
            _ => Trouble::NotStarted { reason: error.to_string() },
        };
        let memory = SharedMemory::new(task.size.pixels() / 2 * 3).map_err(not_started)?;
        let launched = child_process::launch("encoder-process", &memory);
        let (socket, helper) = launched.map_err(not_started)?;
        tracing::debug!(process = helper.number(), encoder = task.encoder, "encoder process");
        Self::over(socket, memory, Some(helper), task, OPEN_TIMEOUT)
    }

    /// Opens the encoder of a process at the other end of the socket.
    fn over(
        socket: HelperStream,
        memory: SharedMemory,
        helper: Option<Helper>,
        task: Task,
        limit: Duration,
    ) -> Result<Self, Trouble> {
        let failed = |error: io::Error| Trouble::of(&error, limit);
        let size = task.size;
        send(&socket, &Request::Open(task).to_bytes(), limit).map_err(failed)?;
        let reply = receive(&socket, Some(limit)).map_err(failed)?;
        match Reply::parse(&reply) {
            Ok(Reply::Opened { library, header }) => {
                Ok(Self { socket, memory, size, library, header, _helper: helper })
            }
            Ok(Reply::Refused(refusal)) => Err(Trouble::Refused(refusal)),
            _ => Err(Trouble::Garbage),
        }
    }

    /// Encodes a frame, and calls `each` for every packet that is ready.
    pub fn encode(
        &mut self,
        number: u64,
        key: bool,
        planes: &Planes,
        each: &mut dyn FnMut(Packet),
    ) -> Result<(), Trouble> {
        if planes.size() != self.size || !self.memory.fill(&[&planes.y, &planes.u, &planes.v]) {
            // The caller has checked the size.
            return Err(Trouble::Garbage);
        }
        self.request(&Request::Frame { number, key })?;
        self.packets(number, FRAME_TIMEOUT, each)
    }

    /// Changes options from the next frame on.
    pub fn change(&mut self, options: Vec<(String, String)>) -> Result<(), Trouble> {
        self.request(&Request::Change(options))
    }

    /// Ends the input, and calls `each` for every delayed packet.
    pub fn finish(&mut self, each: &mut dyn FnMut(Packet)) -> Result<(), Trouble> {
        self.request(&Request::Finish)?;
        self.packets(u64::MAX, FINISH_TIMEOUT, each)
    }

    fn request(&self, request: &Request) -> Result<(), Trouble> {
        send(&self.socket, &request.to_bytes(), FRAME_TIMEOUT)
            .map_err(|error| Trouble::of(&error, FRAME_TIMEOUT))
    }

    /// Passes on the packets up to the end of a frame.
    fn packets(
        &self,
        number: u64,
        limit: Duration,
        each: &mut dyn FnMut(Packet),
    ) -> Result<(), Trouble> {
        let (until, mut bytes) = (Instant::now() + limit, 0_usize);
        for _ in 0..=MAX_PACKETS {
            let left = until.saturating_duration_since(Instant::now());
            let reply = receive(&self.socket, Some(left));
            let reply = reply.map_err(|error| Trouble::of(&error, limit))?;
            match Reply::parse(&reply) {
                Ok(Reply::Packet { pts, dts, key, data }) => {
                    bytes = bytes.saturating_add(data.len());
                    if bytes > MAX_PACKET_BYTES {
                        break;
                    }
                    each(Packet { number: pts, dts, key, data });
                }
                Ok(Reply::Done { number: done }) if done == number => return Ok(()),
                Ok(Reply::Failed { reason }) => return Err(Trouble::Failed { reason }),
                _ => break,
            }
        }
        Err(Trouble::Garbage)
    }
}

// The other end of a stream exists outside of a helper only on this system.
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::base::worker;
    use crate::encode::backend::process::wire::Refusal;
    use crate::media::FrameRate;

    const SIZE: Size = Size::new(32, 16);
    const LIMIT: Duration = Duration::from_millis(200);

    fn task() -> Task {
        let (encoder, options) = ("libx264".to_owned(), Vec::new());
        Task { encoder, is_hardware: false, size: SIZE, frame_rate: FrameRate::FPS_30, options }
    }

    fn opened() -> Vec<u8> {
        Reply::Opened { library: "libavcodec".into(), header: vec![1] }.to_bytes()
    }

    fn packet(number: i64) -> Vec<u8> {
        Reply::Packet { pts: number, dts: number, key: true, data: vec![9; 5] }.to_bytes()
    }

    fn done(number: u64) -> Vec<u8> {
        Reply::Done { number }.to_bytes()
    }

    /// Returns the result of opening an encoder and encoding frame 7 with a process that sends only
    /// these bytes, and then hangs or ends.
    fn with(bytes: &[u8], ends: bool) -> Result<Vec<Packet>, Trouble> {
        let (socket, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(bytes).unwrap();
        let _open = if ends {
            theirs.shutdown(std::net::Shutdown::Write).unwrap();
            None
        } else {
            Some(theirs.try_clone().unwrap())
        };
        let memory = SharedMemory::new(SIZE.pixels() / 2 * 3).unwrap();
        let client = Client::over(socket.into(), memory, None, task(), LIMIT)?;
        let mut packets = Vec::new();
        client.packets(7, LIMIT, &mut |packet| packets.push(packet)).map(|()| packets)
    }

    #[test]
    fn packets_come_up_to_the_end_of_their_frame() {
        let packets = with(&[opened(), packet(6), packet(7), done(7)].concat(), false).unwrap();
        let numbers: Vec<i64> = packets.iter().map(|packet| packet.number).collect();
        assert_eq!(numbers, [6, 7]);
    }

    #[test]
    fn a_crash_a_hang_and_garbage_are_distinguished_at_every_byte() {
        let good = [opened(), packet(7), done(7)].concat();
        for end in 0..good.len() {
            assert_eq!(with(&good[..end], true), Err(Trouble::Ended), "{end}");
        }
        for end in [0, 3, opened().len(), good.len() - 1] {
            assert_eq!(with(&good[..end], false), Err(Trouble::Hung { seconds: 0 }), "{end}");
        }
        for bad in [
            // Longer than any message, an unknown kind, the end of another frame, a second start.
            vec![0xff; 64],
            [opened(), vec![1, 0, 0, 0, 77]].concat(),
            [opened(), done(8)].concat(),
            [opened(), opened()].concat(),
            [opened(), vec![0; 4]].concat(),
        ] {
            assert_eq!(with(&bad, false), Err(Trouble::Garbage), "{bad:?}");
        }
    }

    #[test]
    fn a_process_that_sends_packets_for_ever_is_stopped() {
        let flood = [opened(), packet(7).repeat(MAX_PACKETS + 1), done(7)].concat();
        assert_eq!(with(&flood, false), Err(Trouble::Garbage));
    }

    #[test]
    fn a_process_that_drips_bytes_hangs() {
        let (socket, mut theirs) = UnixStream::pair().unwrap();
        let drips = worker::Worker::spawn("drips", move |stop| {
            // More bytes than there is time for.
            for byte in opened() {
                if stop.wait(LIMIT / 10) || theirs.write_all(&[byte]).is_err() {
                    break;
                }
            }
        });
        let memory = SharedMemory::new(SIZE.pixels() / 2 * 3).unwrap();
        let opened = Client::over(socket.into(), memory, None, task(), LIMIT);
        assert_eq!(opened.err(), Some(Trouble::Hung { seconds: 0 }));
        drips.unwrap().join(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn the_reason_of_a_refusal_arrives() {
        let refusal = Refusal::UnknownVersion { major: 63 };
        let refused = Reply::Refused(refusal.clone()).to_bytes();
        assert_eq!(with(&refused, true), Err(Trouble::Refused(refusal)));
    }
}
