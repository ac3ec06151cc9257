//! A push: sends a published stream to another server. Its queue has the same bound as a viewer's;
//! for a slow server, frames are dropped up to the next keyframe, and nobody is delayed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::timeout;

use crate::base::Timestamp;
use crate::net::rtmp::{Client, Options, Progress};
use crate::net::{self, Cause, ConnectStage, Trouble};
use crate::server::relay::cycle::{self, Destination, End, Relaying, meanwhile};
use crate::server::relay::task::{RelayTask, ticks};
use crate::server::stream::Stream;
use crate::server::stream::message::{Class, Message, Takes};
use crate::server::stream::message_sink::{Arrival, MessageSink};
use crate::server::stream::relayed::RelayPath;
use crate::server::stream::sink::Sink;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::flv::TagKind;
use crate::wire::rtmp::client::{Event, Purpose};
use crate::wire::rtmp::command::caps_ex;

/// Messages are passed to the connection only while it has fewer queued bytes than this, because
/// messages in the stream's queue can still be dropped.
const MAX_UNSENT_BYTES: usize = 128 << 10;
/// A server that accepts nothing for this long has failed.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the connection is kept after the publisher has left: a publisher that returns in time
/// causes no interruption. A publisher does not return to a draining server.
const PUBLISHER_GRACE: Duration = Duration::from_secs(3);
/// Time limit for closing a connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

struct Push {
    task: Arc<RelayTask>,
    stream: Arc<Stream>,
    /// The time at which the publisher left.
    unpublished_at: Option<Timestamp>,
    /// The time of the connection's first media.
    live_since: Option<Timestamp>,
    times: PushTimes,
    /// True after messages were lost, until a keyframe arrives.
    skipping: bool,
    /// Number of the connection's bytes that were already counted.
    counted: u64,
    /// The time at which `counted` last increased.
    progress: Timestamp,
    was_live: bool,
}

/// The times for the other server, in milliseconds. They start at zero, and keep rising when the stream's times pass
/// 2^31 (24 days). If the stream's times jump back, they jump back too, at most to zero.
#[derive(Debug, Default)]
struct PushTimes {
    /// The last time of the stream, and the same time for the other server.
    last: Option<(u32, u32)>,
}

/// Returns true if the server has another publisher of the stream's name. A server that is busy before it knows the
/// name has no room.
fn has_other_publisher(error: &net::Error) -> bool {
    error.stage == ConnectStage::Publish && error.trouble() == Trouble::Busy
}

impl PushTimes {
    /// Records the stream time of the next message.
    fn advance(&mut self, stream_ms: u32) {
        let (before, at) = self.last.unwrap_or((stream_ms, 0));
        let ahead = stream_ms.wrapping_sub(before).cast_signed();
        let at = match ahead < 0 {
            // Audio from before the first frame would have a negative time on the other server.
            true => at.saturating_sub(ahead.unsigned_abs()),
            false => at.wrapping_add(ahead.unsigned_abs()),
        };
        self.last = Some((stream_ms, at));
    }

    /// Returns the last time for the other server.
    fn last(&self) -> u32 {
        self.last.map_or(0, |(_, at)| at)
    }
}

/// Runs a push to its end.
pub(crate) async fn run(task: RelayTask, stream: Arc<Stream>) {
    let mut push = Push::new(task, stream);
    let why = cycle::run(&mut push).await;
    push.task.over(Some(why));
}

impl Relaying for Push {
    const FAIL_OVER_COMMAND_TIMEOUT: Option<Duration> = None;

    fn task(&self) -> &Arc<RelayTask> {
        &self.task
    }

    async fn prepare(&mut self) -> Result<(), Problem> {
        Ok(())
    }

    fn path(&mut self) -> RelayPath {
        self.task.relay.way.path.clone()
    }

    async fn connection(&mut self, to: Destination<'_>, options: &Options) -> End {
        self.live_since = None;
        let clock = self.task.registry.clock;
        let on_step = |_: crate::net::Step<'_>| {};
        // `connect` completes once the server has accepted the stream.
        let connect = Client::connect(to.url, Purpose::Publish, options, clock, &on_step);
        let mut client = match meanwhile(self, connect).await {
            Ok(Ok(client)) => client,
            Ok(Err(error)) if has_other_publisher(&error) => return End::Busy(error.problem()),
            Ok(Err(error)) => return End::Failed(error.problem()),
            Err(why) => return End::Over(why),
        };
        client.stream().set_user_timeout(PROGRESS_TIMEOUT);
        let server = client.enhanced();
        let takes = Takes {
            tracks: server.caps_ex & caps_ex::MULTITRACK != 0,
            opus: server.abilities("Opus") != 0,
        };
        let limit = self.task.registry.config.limits.queue_bytes;
        let sink = MessageSink::taking(self.task.registry.next_id(), limit, takes);
        self.stream.join(Arc::<MessageSink>::clone(&sink));
        let end = self.send(&mut client, &sink, takes, to).await;
        self.stream.leave(sink.id());
        self.task.registry.tidy(&self.stream);
        self.count(&client);
        self.counted = 0;
        match &end {
            End::Busy(_) | End::Failed(_) => {}
            End::Elsewhere(_) | End::Again => {
                drop(self.task.registry.relays.runtime.spawn(client.close(CLOSE_TIMEOUT)));
            }
            End::Over(_) => drop(client.close(CLOSE_TIMEOUT).await),
        }
        end
    }

    fn disconnected(&mut self, _: Timestamp) -> Option<Timestamp> {
        self.live_since
    }

    /// Ends the push some time after its publisher has left.
    fn check(&mut self) -> Result<(), Problem> {
        if self.stream.is_published() {
            self.unpublished_at = None;
            return Ok(());
        }
        let now = self.task.registry.clock.now();
        let since = *self.unpublished_at.get_or_insert(now);
        let is_draining = self.task.registry.is_draining();
        match !is_draining && now.since(since) < PUBLISHER_GRACE {
            true => Ok(()),
            false => {
                // A publisher that returns from here on gets another push, while this one closes its
                // connection.
                self.task.relay.stop();
                Err(problem!("relay-unpublished"))
            }
        }
    }
}

impl Push {
    fn new(task: RelayTask, stream: Arc<Stream>) -> Self {
        let now = task.registry.clock.now();
        Self {
            task: Arc::new(task),
            stream,
            unpublished_at: None,
            live_since: None,
            times: PushTimes::default(),
            skipping: false,
            counted: 0,
            progress: now,
            was_live: false,
        }
    }

    /// Sends until something ends the connection.
    async fn send(
        &mut self,
        client: &mut Client,
        sink: &MessageSink,
        takes: Takes,
        to: Destination<'_>,
    ) -> End {
        let task = Arc::clone(&self.task);
        self.progress = task.registry.clock.now();
        self.skipping = false;
        let mut waiting = VecDeque::new();
        let mut ticks = ticks();
        loop {
            let full = client.queued_bytes() > MAX_UNSENT_BYTES;
            tokio::select! {
                biased;
                () = task.stopped() => {
                    let _ = timeout(CLOSE_TIMEOUT, client.flush()).await;
                    return End::Over(problem!("relay-stopped"));
                }
                _ = ticks.tick() => {
                    self.count(client);
                    if let Err(why) = self.check() {
                        let _ = timeout(CLOSE_TIMEOUT, client.flush()).await;
                        return End::Over(why);
                    }
                    let now = task.registry.clock.now();
                    if client.queued_bytes() == 0 {
                        self.progress = now;
                    } else if now.since(self.progress) >= PROGRESS_TIMEOUT {
                        let cause = Cause::NoProgress { after: PROGRESS_TIMEOUT };
                        return End::Failed(client.error(ConnectStage::Media, cause).problem());
                    }
                }
                progress = client.progress(full.then_some(MAX_UNSENT_BYTES)) => match progress {
                    Ok(Progress::Room) => {}
                    Ok(Progress::Event(Event::ReconnectRequest { tc_url, .. })) => {
                        if let Some(next) = to.home.asked_to(to.url, tc_url.as_deref()) {
                            return End::Elsewhere(next);
                        }
                    }
                    Ok(Progress::Event(_)) => {}
                    Err(error) => return End::Failed(error.problem()),
                },
                () = sink.arrived(), if waiting.is_empty() => waiting.extend(sink.take()),
            }
            while client.queued_bytes() <= MAX_UNSENT_BYTES
                && let Some(arrival) = waiting.pop_front()
            {
                match arrival {
                    Arrival::Message(message) => {
                        if let Some(message) = message.for_viewer(takes) {
                            self.message(client, message);
                        }
                    }
                    Arrival::Lost { frames } => {
                        self.task.relay.dropped_frames.fetch_add(frames, Ordering::Relaxed);
                        self.skipping = true;
                    }
                    // The push of a successor may already wait for the name. Otherwise, the regular check detects a
                    // publisher that does not return.
                    Arrival::Gone => {
                        if let Err(why) = self.check() {
                            let _ = timeout(CLOSE_TIMEOUT, client.flush()).await;
                            return End::Over(why);
                        }
                    }
                    Arrival::Back => {}
                }
            }
        }
    }

    fn message(&mut self, client: &mut Client, message: &Message) {
        match message.class {
            Class::Key => self.skipping = false,
            Class::Inter if self.skipping => {
                self.task.relay.dropped_frames.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Class::Inter | Class::Audio | Class::Vital => {}
        }
        if message.class != Class::Vital && message.kind != TagKind::Script {
            self.times.advance(message.time_ms);
            if self.live_since.is_none() {
                self.go_live();
            }
        }
        let (time_ms, body) = (self.times.last(), message.body());
        let session = client.session();
        match message.kind {
            TagKind::Video => session.send_video(time_ms, body),
            TagKind::Audio => session.send_audio(time_ms, body),
            TagKind::Script => session.send_script(time_ms, &body, message.class == Class::Vital),
        };
    }

    fn go_live(&mut self) {
        self.live_since = Some(self.task.registry.clock.now());
        if std::mem::replace(&mut self.was_live, true) {
            self.task.relay.reconnects.fetch_add(1, Ordering::Relaxed);
        }
        self.task.live();
    }

    /// Adds the bytes of the connection to the totals.
    fn count(&mut self, client: &Client) {
        let written = client.written_bytes();
        let new = written.saturating_sub(self.counted);
        if new > 0 {
            self.progress = self.task.registry.clock.now();
        }
        self.counted = written;
        self.task.relay.bytes.fetch_add(new, Ordering::Relaxed);
        self.task.registry.totals.sent_bytes.fetch_add(new, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;
    use crate::server::event::relay::Direction;
    use crate::server::registry::config::Config;
    use crate::server::registry::relays::rules::RelayRule;
    use crate::server::registry::relays::state::{Relay, RelayWay};
    use crate::server::registry::relays::target::RelayTarget;
    use crate::server::webrtc::whep::session::tests::{publish, start_registry};

    #[test]
    fn a_push_of_a_draining_server_does_not_wait_for_its_publisher() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, Config::default());
        let publication = publish(&registry, 1);
        let rule = RelayRule {
            direction: Direction::Push,
            streams: "live/*".to_owned(),
            on_demand: false,
            targets: vec![RelayTarget::parse("rtmp://a.example/live", None).unwrap()],
            linger: RelayRule::DEFAULT_LINGER,
            options: Options::default(),
        };
        let stream = Arc::downgrade(&publication.stream);
        let way = RelayWay { path: RelayPath::default(), stream };
        let start = (1, registry.clock.now());
        let relay = Arc::new(Relay::new(start, Arc::new(rule), ("live", "show"), way, None));
        let task = RelayTask { registry: Arc::clone(&registry), relay };
        let mut push = Push::new(task, Arc::clone(&publication.stream));
        registry.drain(None, None);
        assert_eq!(push.check(), Ok(()));
        registry.unpublish(&publication, 1, "127.0.0.1:5".parse().unwrap(), "gone".into());
        assert_eq!(push.check(), Err(problem!("relay-unpublished")));
    }

    #[test]
    fn a_server_that_is_full_has_no_other_publisher() {
        let busy = |stage, code: &str| {
            let (refusal, code) = (net::Refusal::Busy, code.to_owned());
            let cause = Cause::Status { refusal, code, description: "busy".to_owned() };
            net::Error { stage, cause, peer: "a.example:1935".into() }
        };
        let full = busy(ConnectStage::Connect, "NetConnection.Connect.Closed");
        assert!(full.trouble() == Trouble::Busy && !has_other_publisher(&full));
        assert!(has_other_publisher(&busy(ConnectStage::Publish, "NetStream.Publish.BadName")));
    }

    /// Returns the times for the other server after these times of the stream.
    fn sent(times: &[u32]) -> Vec<u32> {
        let mut push = PushTimes::default();
        let next = |time: &u32| {
            push.advance(*time);
            push.last()
        };
        times.iter().map(next).collect()
    }

    #[test]
    fn times_begin_at_zero_and_pass_the_limits_of_their_numbers() {
        const DAY_MS: u32 = 24 * 3_600 * 1_000;
        assert_eq!(sent(&[100, 70, 140, 170]), [0, 0, 70, 100]);
        let days: Vec<u32> = (0..100).map(|day: u32| day.wrapping_mul(DAY_MS)).collect();
        assert_eq!(sent(&days), days);
        let later: Vec<u32> = days.iter().map(|day| day.wrapping_add(DAY_MS)).collect();
        assert_eq!(sent(&later), days);
    }

    #[test]
    fn a_stream_whose_times_begin_again_goes_on() {
        assert_eq!(sent(&[3_600_000, 3_601_000, 0, 40, 80]), [0, 1_000, 0, 40, 80]);
    }
}
