//! Stream delay: holds the packets of a hub for a fixed time, and passes them on through a second
//! hub with the same timestamps. The delay is between the hub and the publishers, so reconnects do
//! not affect it, and several targets share it.
//!
//! The delay has two threads: the keeper takes packets and handles the disk, and the giver passes
//! on due packets. The giver never waits for the disk, because the next packets are already in
//! memory.

mod spool;
mod store;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

pub use store::{Figures, Room};

use crate::base::queue::{self, Full, Sender};
use crate::base::{Clock, Stop, Timestamp, Worker};
use crate::broadcast::delay::spool::{Spool, StoredBlock};
use crate::broadcast::delay::store::{DelayStore, DelayedPacket, Work};
use crate::broadcast::hub::Hub;
use crate::broadcast::hub::backlog::Limits;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::hub::subscription::{NextPacket, Subscription};
use crate::files::Trouble;
use crate::text::Problem;

/// Maximum delay.
pub const MAX_STREAM_DELAY: Duration = Duration::from_secs(30 * 60);

/// Interval at which the threads check whether they should stop.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Maximum number of packets in the queue to the second hub, which never waits for an output.
const MAX_QUEUED_PACKETS: usize = 256;

/// The length of the delay, and its folder.
#[derive(Clone, Debug)]
pub struct Config {
    /// The delay, which is at most [`MAX_STREAM_DELAY`].
    pub duration: Duration,
    /// The folder for packets that do not fit into memory.
    pub folder: PathBuf,
    pub room: Room,
}

/// A running delay. Dropping the delay drops the held packets, which ends the second hub.
#[derive(Debug)]
pub struct Delay {
    shared: Arc<Shared>,
    hub: Hub,
    wanted: Duration,
    _keeper: Worker,
    giver: Worker,
}

#[derive(Debug)]
struct Shared {
    clock: Clock,
    line: Mutex<DelayStore<StoredBlock>>,
    wake: Condvar,
    /// Set if the delay accepts no more packets.
    last: Stop,
    /// The last disk error that has not been reported yet.
    trouble: Mutex<Option<Problem>>,
}

impl Delay {
    /// Starts the delay of the hub's packets.
    ///
    /// # Errors
    /// Fails if the system grants no threads.
    pub fn start(config: &Config, hub: &Hub, clock: Clock) -> io::Result<Self> {
        let feed = hub.feed();
        let wanted = config.duration.min(MAX_STREAM_DELAY);
        let head = feed.head().clone();
        let line = DelayStore::new(wanted, config.room, head.has_video);
        let shared = Arc::new(Shared {
            clock,
            line: Mutex::new(line),
            wake: Condvar::new(),
            last: Stop::new(),
            trouble: Mutex::default(),
        });
        let (packets, input) = queue::bounded("delayed packets", MAX_QUEUED_PACKETS, Full::Block);
        let delayed = Hub::spawn_copy(head, input)?;
        delayed.set_b_frames(feed.has_b_frames());
        delayed.prefer_opus(feed.opus().is_preferred());
        let (its, spool) = (Arc::clone(&shared), Spool::new(&config.folder));
        let output = feed.subscribe_to_all("delay", Limits::FILE, true);
        let keeper = Worker::spawn("onair-delay-in", move |stop| its.keep(output, &spool, stop))?;
        let its = Arc::clone(&shared);
        let giver = Worker::spawn("onair-delay-out", move |stop| its.give(&packets, stop))?;
        Ok(Self { shared, hub: delayed, wanted, _keeper: keeper, giver })
    }

    /// Returns the hub that passes on due packets.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Returns the requested delay.
    pub fn wanted(&self) -> Duration {
        self.wanted
    }

    /// Returns the state of the delay.
    pub fn figures(&self) -> Figures {
        self.shared.line.lock().figures()
    }

    /// Returns the time until the first packet is sent, or `None` if it was sent.
    pub fn begins_in(&self) -> Option<Duration> {
        let line = self.shared.line.lock();
        let figures = line.figures();
        let begins = line.begins().unwrap_or_else(|| self.shared.clock.now() + figures.delay);
        (!figures.begun).then(|| begins.since(self.shared.clock.now()))
    }

    /// Accepts no more packets, sends the held ones, and then ends the second hub.
    pub fn drain(&self) {
        self.shared.last.set();
    }

    /// Returns true if the delay accepts no more packets.
    pub fn is_draining(&self) -> bool {
        self.shared.last.is_set()
    }

    /// Drops the held packets, and ends the second hub now.
    pub fn discard(&self) {
        self.shared.last.set();
        self.giver.stop();
    }

    /// Takes the last disk error that has not been reported yet.
    pub fn trouble(&self) -> Option<Problem> {
        self.shared.trouble.lock().take()
    }
}

impl Shared {
    /// The keeper's loop: takes packets, writes blocks to the disk and reads them back.
    fn keep(&self, output: Subscription, spool: &Spool, stop: &Stop) {
        let mut output = Some(output);
        while !stop.is_set() {
            let next = match &output {
                Some(output) if !self.last.is_set() => output.next_timeout(POLL_INTERVAL),
                _ => NextPacket::Ended,
            };
            match next {
                NextPacket::Tag(tag) => {
                    self.line.lock().push(self.clock.now(), tag);
                    self.wake.notify_one();
                }
                NextPacket::Waiting => {}
                NextPacket::Ended => {
                    if output.take().is_some() {
                        self.line.lock().close();
                        self.wake.notify_one();
                    }
                    stop.wait(POLL_INTERVAL);
                }
            }
            let work = self.line.lock().work(self.clock.now());
            if let Some(work) = work {
                self.handle(work, spool);
            }
        }
    }

    fn handle(&self, work: Work<StoredBlock>, spool: &Spool) {
        match work {
            Work::Store(number, tags) => {
                let stored = spool.store(&tags).map_err(|error| self.note(&error)).ok();
                self.line.lock().stored(self.clock.now(), number, stored);
            }
            Work::Load(number, stored) => {
                let tags = stored.load().map_err(|error| self.note(&error)).ok();
                self.line.lock().loaded(number, tags);
                self.wake.notify_one();
            }
        }
    }

    fn note(&self, error: &io::Error) {
        *self.trouble.lock() = Some(Trouble::problem(error));
    }

    /// The giver's loop: passes on due packets.
    fn give(&self, packets: &Sender<SharedPacket>, stop: &Stop) {
        while !stop.is_set() {
            let tag = {
                let mut line = self.line.lock();
                let now = self.clock.now();
                match line.pop(now) {
                    DelayedPacket::Tag(tag) => tag,
                    DelayedPacket::At(due) => {
                        self.wake.wait_for(&mut line, wait(due, now));
                        continue;
                    }
                    DelayedPacket::Nothing => {
                        self.wake.wait_for(&mut line, POLL_INTERVAL);
                        continue;
                    }
                    DelayedPacket::Over => return,
                }
            };
            let tag = Arc::try_unwrap(tag).unwrap_or_else(|shared| (*shared).clone());
            if packets.send(tag).is_err() {
                return;
            }
        }
    }
}

fn wait(due: Timestamp, now: Timestamp) -> Duration {
    due.since(now).min(POLL_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::packet;
    use crate::media::{StreamConfig, Track};

    fn audio_hub() -> (Sender<crate::media::EncodedPacket>, Hub) {
        let (packets, input) = queue::bounded("packets", 64, Full::Block);
        let hub = Hub::spawn(StreamConfig::default(), input).unwrap();
        (packets, hub)
    }

    fn config(duration: Duration, folder: &tempfile::TempDir) -> Config {
        Config { duration, folder: folder.path().to_owned(), room: Room::default() }
    }

    #[test]
    fn every_packet_comes_after_the_delay() {
        let folder = tempfile::tempdir().unwrap();
        let (packets, hub) = audio_hub();
        let clock = Clock::start();
        let duration = Duration::from_millis(400);
        let delay = Delay::start(&config(duration, &folder), &hub, clock).unwrap();
        let late = delay.hub().subscribe("test", Limits::FILE);
        let begun = clock.now();
        for at in 0..20 {
            packets.send(packet(Track::Audio, at * 20)).unwrap();
        }
        assert!(delay.begins_in().is_some());
        drop(packets);
        let mut times = Vec::new();
        loop {
            match late.next_timeout(Duration::from_secs(30)) {
                NextPacket::Tag(tag) => times.push(tag.dts.as_millis()),
                NextPacket::Waiting => panic!("nothing came"),
                NextPacket::Ended => break,
            }
            assert!(clock.now().since(begun) >= duration, "too early");
        }
        assert_eq!(times, (0..20).map(|at| at * 20).collect::<Vec<i64>>());
        assert_eq!(delay.begins_in(), None);
    }

    #[test]
    fn where_no_file_can_be_made_the_delay_is_as_long_as_memory_allows() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (packets, hub) = audio_hub();
        let room = Room { memory: 12 << 20, most: 24 << 20 };
        let config = Config { duration: MAX_STREAM_DELAY, folder: file.path().join("in-it"), room };
        let delay = Delay::start(&config, &hub, Clock::start()).unwrap();
        let late = delay.hub().subscribe("test", Limits::FILE);
        let mut large = packet(Track::Audio, 0);
        large.data = bytes::Bytes::from(vec![0; 1 << 20]);
        for at in 0..20 {
            let dts = Timestamp::from_millis(at * 20);
            packets.send(crate::media::EncodedPacket { dts, pts: dts, ..large.clone() }).unwrap();
        }
        assert!(matches!(late.next_timeout(Duration::from_secs(30)), NextPacket::Tag(_)));
        let figures = delay.figures();
        assert!(figures.delay < Duration::from_secs(60), "{figures:?}");
        assert_eq!((figures.disk_bytes, figures.skipped), (0, Duration::ZERO));
        assert!(delay.trouble().is_some());
    }

    #[test]
    fn discard_drops_delayed_packets_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (packets, hub) = audio_hub();
        let delay = Delay::start(&config(MAX_STREAM_DELAY, &folder), &hub, Clock::start()).unwrap();
        let late = delay.hub().subscribe("test", Limits::FILE);
        packets.send(packet(Track::Audio, 0)).unwrap();
        delay.discard();
        assert!(matches!(late.next_timeout(Duration::from_secs(30)), NextPacket::Ended));
    }
}
