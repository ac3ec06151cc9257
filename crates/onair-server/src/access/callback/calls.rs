//! The callbacks of an application. They ask a receiver before a client connects, publishes or plays,
//! and notify it when the client has finished.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use tracing::{Instrument as _, Span};

use crate::base::{Clock, Timestamp};
use crate::net::web::WebUrl;
use crate::server::access::callback::destination::{ClientTurn, Destination, PostError};
use crate::server::access::callback::exchange::{ReceiverAnswer, Request, Verdict};
use crate::server::access::callback::rules::{CallKind, CallbackRules, Dialect};
use crate::server::access::callback::visit::{Call, Visit};
use crate::server::access::callback::{mediamtx, nginx, srs};
use crate::server::access::denied::Denied;
use crate::server::event::reporter::{Reporter, without_secrets};
use crate::server::event::{CallbackAnswer, CallbackResult, Event};
use crate::wire::rtmp::stream_name::StreamName;

/// How long a notice waits for a receiver that is unreachable, or that is slow to answer other notices.
const NOTICE_LIFETIME: Duration = Duration::from_mins(5);

/// Sends notices to receivers in the background, and reports all answers.
#[derive(Clone, Debug)]
pub(crate) struct Notices {
    runtime: Handle,
    clock: Clock,
    reporter: Arc<Reporter>,
    waiting: Arc<AtomicUsize>,
    idle: Arc<Notify>,
    /// True once the server ends.
    closing: Arc<watch::Sender<bool>>,
}

impl Notices {
    pub fn new(runtime: Handle, clock: Clock, reporter: Arc<Reporter>) -> Self {
        let (waiting, idle, closing) = (Arc::default(), Arc::default(), Arc::default());
        Self { runtime, clock, reporter, waiting, idle, closing }
    }

    /// Gives up the notices to unreachable receivers, because the server ends.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Returns true if no notice is waiting.
    pub fn is_idle(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    /// Returns the signal that no notice is waiting any more.
    pub fn idle(&self) -> &Notify {
        &self.idle
    }

    fn send(
        &self,
        destination: &Arc<Destination>,
        dialect: Dialect,
        (visit, call): (&Visit, &Call),
        order: NoticeOrder,
    ) {
        let (notices, destination) = (self.clone(), Arc::clone(destination));
        let (visit, call) = (visit.clone(), call.clone());
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let sent = async move {
            let guard = NoticeGuard(notices);
            let NoticeOrder { beginning, begins } = order;
            if let Some(beginning) = beginning
                && !beginning.await.unwrap_or(false)
            {
                return;
            }
            let decided = match destination.count() {
                Ok(_counted) => guard.0.deliver(&destination, dialect, &visit, &call).await,
                Err(full) => {
                    let about = (&visit, &call);
                    guard.0.report(&destination, dialect, about, Err(full), Duration::ZERO)
                }
            };
            if let Some(begins) = begins {
                let _ = begins.send(is_counted(&decided));
            }
        };
        self.runtime.spawn(sent.instrument(Span::current()));
    }

    /// Posts a notice, repeatedly while its receiver is unreachable. Returns the last decision.
    async fn deliver(
        &self,
        destination: &Destination,
        dialect: Dialect,
        visit: &Visit,
        call: &Call,
    ) -> Result<Verdict, PostError> {
        let (request, clock) = (request(dialect, visit, call), self.clock);
        let (until, mut closing) = (clock.now() + NOTICE_LIFETIME, self.closing.subscribe());
        loop {
            let turn = destination.turn(clock, until, &mut closing).await;
            let began = clock.now();
            let posted = match turn {
                Ok(slot) => destination.post_notice(slot, &request, clock).await,
                Err(error) => Err(error),
            };
            let took = clock.now().since(began);
            let decided = self.report(destination, dialect, (visit, call), posted, took);
            // If the request may have arrived, a second attempt would deliver the notice twice.
            if !matches!(decided, Err(PostError::Unreachable(_))) || clock.now() >= until {
                return decided;
            }
        }
    }

    /// Reports the answer to a request, and returns the decision in it.
    fn report(
        &self,
        destination: &Destination,
        dialect: Dialect,
        (visit, call): (&Visit, &Call),
        posted: Result<ReceiverAnswer, PostError>,
        took: Duration,
    ) -> Result<Verdict, PostError> {
        let status = posted.as_ref().ok().map(|answer| answer.status);
        let decided = posted.map(|answer| valid(verdict(dialect, &answer), visit, call));
        let result = match &decided {
            Ok(Verdict::Accept) => CallbackResult::Accepted,
            Ok(Verdict::Rename(_)) => CallbackResult::Renamed,
            Ok(Verdict::Refuse) => CallbackResult::Refused,
            Err(_) => CallbackResult::Failed,
        };
        let error = decided.as_ref().err();
        self.reporter.tell(Event::Callback(CallbackAnswer {
            callback: call.kind().name(),
            host: destination.host(),
            id: visit.id,
            app: without_secrets(&visit.app),
            stream: without_secrets(&visit.stream),
            result,
            status,
            cause: error.map(PostError::name),
            reason: error.map(PostError::problem),
            took,
            times: 1,
        }));
        decided
    }

    fn done(&self) {
        if self.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.idle.notify_waiters();
        }
    }
}

/// The relation of a notice to another one.
#[derive(Debug, Default)]
struct NoticeOrder {
    /// Becomes true if the receiver counts the beginning of the visit that ends. Otherwise, the end is not sent.
    beginning: Option<oneshot::Receiver<bool>>,
    /// Gets whether the receiver counts the beginning of this visit.
    begins: Option<oneshot::Sender<bool>>,
}

/// Returns true if the receiver counts a client after this decision, or may do so.
fn is_counted(decided: &Result<Verdict, PostError>) -> bool {
    matches!(decided, Ok(Verdict::Accept | Verdict::Rename(_)) | Err(PostError::NoAnswer(_)))
}

/// Returns the request for a call.
fn request(dialect: Dialect, visit: &Visit, call: &Call) -> Request {
    let (content_type, body) = match dialect {
        Dialect::Nginx => ("application/x-www-form-urlencoded", nginx::form(visit, call)),
        Dialect::Srs => ("application/json", srs::json(visit, call)),
        Dialect::MediaMtx => ("application/json", mediamtx::json(visit, call)),
    };
    Request { content_type, body }
}

/// Returns the decision in a response.
fn verdict(dialect: Dialect, answer: &ReceiverAnswer) -> Verdict {
    match dialect {
        Dialect::Nginx => nginx::verdict(answer),
        Dialect::Srs => srs::verdict(answer),
        Dialect::MediaMtx => mediamtx::verdict(answer),
    }
}

/// A notice that is being sent.
struct NoticeGuard(Notices);

impl Drop for NoticeGuard {
    fn drop(&mut self) {
        self.0.done();
    }
}

/// The callbacks of an application and their receivers.
#[derive(Debug)]
pub(crate) struct Callbacks {
    dialect: Dialect,
    accepts_without_answer: bool,
    destinations: HashMap<CallKind, Arc<Destination>>,
    notices: Notices,
}

impl Callbacks {
    pub fn new(rules: &CallbackRules, notices: &Notices) -> Self {
        let destination = |(kind, url): (&CallKind, &WebUrl)| {
            let destination = Destination::new(url.clone(), rules.timeout, *kind as u64);
            (*kind, Arc::new(destination))
        };
        Self {
            dialect: rules.dialect,
            accepts_without_answer: rules.accepts_without_answer,
            destinations: rules.urls.iter().map(destination).collect(),
            notices: notices.clone(),
        }
    }

    /// Returns true if a receiver decides about this call, or is notified of its end.
    pub fn follows(&self, call: &Call) -> bool {
        let calls = [Some(call.kind()), call.end().map(|end| end.kind())];
        calls.iter().flatten().any(|kind| self.destinations.contains_key(kind))
    }

    /// Asks the receiver whether the client may act. If the client leaves after the request was sent, the receiver may
    /// still accept it. In that case, its end is reported too.
    pub async fn admit(self: &Arc<Self>, visit: &Visit, call: &Call) -> Result<Admitted, Denied> {
        let Some(destination) = self.destinations.get(&call.kind()) else {
            return Ok(Admitted { renamed: None, done: DoneCall::new(self, visit, call) });
        };
        let began = self.notices.clock.now();
        let turn = destination.client_turn(self.notices.clock).await;
        let (callbacks, destination) = (Arc::clone(self), Arc::clone(destination));
        let (visit, call) = (visit.clone(), call.clone());
        let asked = async move {
            let turn = (turn, began);
            let (renamed, is_unsent) = callbacks.ask(&destination, (&visit, &call), turn).await?;
            // The receiver would count the end of a client whose beginning it does not know.
            let done = match is_unsent {
                true => None,
                false => DoneCall::new(&callbacks, &visit, &call),
            };
            Ok::<_, Denied>(Admitted { renamed, done })
        };
        // Without a runtime, the server has ended.
        self.notices
            .runtime
            .spawn(asked.instrument(Span::current()))
            .await
            .unwrap_or(Err(Denied::NoCallback))
    }

    /// Asks the receiver in this turn whether the client may act. The client has waited since `began`. Returns the new
    /// name, if the receiver changes it, and true if the receiver does not know of the client, because the request was
    /// not sent.
    async fn ask(
        &self,
        destination: &Destination,
        (visit, call): (&Visit, &Call),
        (turn, began): (Result<ClientTurn, PostError>, Timestamp),
    ) -> Result<(Option<String>, bool), Denied> {
        let clock = self.notices.clock;
        let posted = match turn {
            Ok(turn) => destination.post(turn, &request(self.dialect, visit, call), clock).await,
            Err(error) => Err(error),
        };
        let took = clock.now().since(began);
        match self.notices.report(destination, self.dialect, (visit, call), posted, took) {
            Ok(Verdict::Accept) => Ok((None, false)),
            Ok(Verdict::Rename(name)) => Ok((Some(name), false)),
            Ok(Verdict::Refuse) => Err(match self.dialect {
                Dialect::MediaMtx if mediamtx::may_log_in(visit) => Denied::NoLogin,
                _ => Denied::Callback,
            }),
            Err(error) if self.accepts_without_answer => {
                Ok((None, !matches!(error, PostError::NoAnswer(_))))
            }
            Err(_) => Err(Denied::NoCallback),
        }
    }

    fn tell(&self, visit: &Visit, call: &Call, order: NoticeOrder) {
        if let Some(destination) = self.destinations.get(&call.kind()) {
            self.notices.send(destination, self.dialect, (visit, call), order);
        }
    }
}

/// A client that may act.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The new name, if the receiver changes it.
    pub renamed: Option<String>,
    /// When dropped, informs the receiver that the client has finished. Like nginx-rtmp, it names the stream that the
    /// client requested, even if the receiver has changed the name.
    pub done: Option<DoneCall>,
}

/// Returns the verdict with the new name, without its query, if it has one. An invalid name refuses the client.
fn valid(verdict: Verdict, visit: &Visit, call: &Call) -> Verdict {
    let Verdict::Rename(name) = verdict else { return verdict };
    let name = name.split('?').next().unwrap_or_default();
    let (app, stream) = match call {
        Call::Connect => (name, ""),
        _ => (visit.app.as_str(), name),
    };
    let resolved = StreamName::resolve("", app, stream);
    let is_one = *call == Call::Connect || !resolved.stream.is_empty();
    if resolved.is_plain() && is_one {
        return Verdict::Rename(name.trim_matches('/').to_owned());
    }
    tracing::warn!("a callback redirects to an invalid stream name");
    Verdict::Refuse
}

/// When dropped, reports that a client has finished.
#[derive(Debug)]
pub(crate) struct DoneCall {
    callbacks: Arc<Callbacks>,
    visit: Visit,
    call: Call,
    /// The beginning that the receiver does not know of. Until it does, it gets no report of the end either.
    beginning: Option<Call>,
    /// Gets whether the receiver counts the beginning, if it was sent.
    begun: Option<oneshot::Receiver<bool>>,
}

impl DoneCall {
    /// Creates the report for the end of `call`. Returns `None` if the end of this call is not
    /// reported.
    pub fn new(callbacks: &Arc<Callbacks>, visit: &Visit, call: &Call) -> Option<Self> {
        let (callbacks, visit) = (Arc::clone(callbacks), visit.clone());
        call.end().map(|call| Self { callbacks, visit, call, beginning: None, begun: None })
    }

    /// Creates the report for a viewer whom a pass admits. If the receiver believes that the viewer has
    /// left, the viewer begins another visit with [`Self::begin`]. Returns `None` if the receiver does
    /// not count the ends of visits.
    pub fn returning(callbacks: &Arc<Callbacks>, visit: &Visit, call: &Call) -> Option<Self> {
        let mut done = Self::new(callbacks, visit, call)?;
        done.beginning = Some(call.clone());
        let is_counted = callbacks.destinations.contains_key(&done.call.kind());
        is_counted.then_some(done)
    }

    /// Returns the report for another visit of a viewer whom a pass admits. Returns `None` if the receiver knows of
    /// the beginning.
    pub fn again(&self) -> Option<Self> {
        Self::returning(&self.callbacks, &self.visit, self.beginning.as_ref()?)
    }

    /// Notifies the receiver of the beginning, unless it knows of it. The pass has decided already, so the answer only
    /// decides whether the receiver also gets the end. The visit lacks the key or token of the viewer, so some
    /// receivers refuse it and do not count it.
    pub fn begin(&mut self) {
        let Some(beginning) = self.beginning.take() else { return };
        if self.callbacks.destinations.contains_key(&beginning.kind()) {
            let (begins, begun) = oneshot::channel();
            let order = NoticeOrder { begins: Some(begins), ..NoticeOrder::default() };
            self.callbacks.tell(&self.visit, &beginning, order);
            self.begun = Some(begun);
        }
    }
}

impl Drop for DoneCall {
    fn drop(&mut self) {
        if self.beginning.is_none() {
            let order = NoticeOrder { beginning: self.begun.take(), ..NoticeOrder::default() };
            self.callbacks.tell(&self.visit, &self.call, order);
        }
    }
}

/// Reports that a publication was recorded.
#[derive(Debug)]
pub(crate) struct RecordCall {
    callbacks: Arc<Callbacks>,
    visit: Visit,
}

impl RecordCall {
    pub fn new(callbacks: &Arc<Callbacks>, visit: Visit) -> Self {
        Self { callbacks: Arc::clone(callbacks), visit }
    }

    /// Reports that this file is complete.
    pub fn finished(&self, path: &Path) {
        let path = absolute(path);
        self.callbacks.tell(&self.visit, &Call::RecordDone { path }, NoticeOrder::default());
    }
}

/// Returns a path that also a receiver with another working directory can open.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

#[cfg(test)]
pub(crate) mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpSocket;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::base::queue;
    use crate::net::Runtime;
    use crate::server::access::callback::exchange::samples;
    use crate::server::event::RECEIVER_UNREACHABLE;

    /// Maximum wait for an event.
    const LIMIT: Duration = Duration::from_secs(60);

    /// Callbacks whose receiver refuses connections.
    pub(crate) struct Unreachable {
        pub callbacks: Arc<Callbacks>,
        pub notices: Notices,
        events: queue::Receiver<Event>,
        /// It is bound, but does not listen, so it refuses connections and keeps its port.
        socket: TcpSocket,
    }

    impl Unreachable {
        pub fn new(runtime: &Runtime, kinds: &[CallKind], accepts_without_answer: bool) -> Self {
            let clock = Clock::start();
            let (sender, events) = queue::bounded("test", 16, queue::Full::DropOldest);
            let reporter = Arc::new(Reporter::new(sender, clock));
            let notices = Notices::new(runtime.handle().clone(), clock, reporter);
            let socket = runtime.block_on(async { TcpSocket::new_v4() }).unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            let address = socket.local_addr().unwrap();
            let url = WebUrl::parse(&format!("http://{address}/done")).unwrap();
            let rules = CallbackRules {
                dialect: Dialect::Nginx,
                urls: kinds.iter().map(|kind| (*kind, url.clone())).collect(),
                timeout: CallbackRules::DEFAULT_TIMEOUT,
                accepts_without_answer,
            };
            let callbacks = Arc::new(Callbacks::new(&rules, &notices));
            Self { callbacks, notices, events, socket }
        }
    }

    #[test]
    fn a_notice_is_sent_again_until_its_receiver_is_back() {
        let runtime = Runtime::start().unwrap();
        let receiver = Unreachable::new(&runtime, &[CallKind::PlayDone], false);
        let Unreachable { callbacks, notices, events, socket } = receiver;
        callbacks.tell(&samples::visit(), &Call::PlayDone, NoticeOrder::default());
        for _ in 0..3 {
            let event = events.recv_timeout(LIMIT);
            let Ok(Event::Callback(answer)) = event else { panic!("{event:?}") };
            assert_eq!(
                (answer.cause, answer.id),
                (Some(RECEIVER_UNREACHABLE), samples::visit().id)
            );
        }
        assert!(!notices.is_idle());
        let mut head = [0; 10];
        runtime.block_on(async {
            let listener = socket.listen(1).unwrap();
            let (mut socket, _) = timeout(LIMIT, listener.accept()).await.unwrap().unwrap();
            socket.read_exact(&mut head).await.unwrap();
        });
        assert_eq!(&head, b"POST /done");
    }

    #[test]
    fn a_notice_for_which_there_is_no_room_is_reported() {
        let runtime = Runtime::start().unwrap();
        let receiver = Unreachable::new(&runtime, &[CallKind::PlayDone], false);
        let destination = &receiver.callbacks.destinations[&CallKind::PlayDone];
        let _waiting: Vec<_> = std::iter::from_fn(|| destination.count().ok()).collect();
        receiver.callbacks.tell(&samples::visit(), &Call::PlayDone, NoticeOrder::default());
        let event = receiver.events.recv_timeout(LIMIT);
        let Ok(Event::Callback(answer)) = event else { panic!("{event:?}") };
        assert_eq!(answer.cause, Some(PostError::Full.name()));
    }

    #[test]
    fn the_end_of_a_client_that_left_before_the_answer_is_reported_if_it_was_accepted() {
        for (answer, is_accepted) in [("200 OK", true), ("403 Forbidden", false)] {
            let runtime = Runtime::start().unwrap();
            let kinds = [CallKind::Play, CallKind::PlayDone];
            let receiver = Unreachable::new(&runtime, &kinds, false);
            let Unreachable { callbacks, notices, socket, .. } = receiver;
            let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
            runtime.block_on(async {
                let listener = socket.listen(2).unwrap();
                let (visit, call) = (samples::visit(), Call::play());
                let mut client = Box::pin(callbacks.admit(&visit, &call));
                let (mut receiver, _) = tokio::select! {
                    _ = &mut client => panic!("there is no answer yet"),
                    accepted = listener.accept() => accepted.unwrap(),
                };
                let mut head = [0; 10];
                receiver.read_exact(&mut head).await.unwrap();
                assert_eq!(&head, b"POST /done");
                drop(client);
                receiver.write_all(answer.as_bytes()).await.unwrap();
                let ended = async {
                    while Arc::strong_count(&callbacks) > 1 {
                        sleep(Duration::from_millis(1)).await;
                    }
                };
                timeout(LIMIT, ended).await.unwrap();
                assert_eq!(!notices.is_idle(), is_accepted, "{answer}");
            });
        }
    }

    #[test]
    fn the_end_of_a_returning_viewer_is_sent_only_after_an_accepted_beginning() {
        for (answer, expected) in
            [("200 OK", &["on_play", "on_play_done"][..]), ("403 Forbidden", &["on_play"][..])]
        {
            let runtime = Runtime::start().unwrap();
            let kinds = [CallKind::Play, CallKind::PlayDone];
            let Unreachable { callbacks, notices, events, socket } =
                Unreachable::new(&runtime, &kinds, false);
            let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n");
            let mut done =
                DoneCall::returning(&callbacks, &samples::visit(), &Call::play()).unwrap();
            runtime.block_on(async {
                let listener = socket.listen(2).unwrap();
                done.begin();
                // The viewer leaves before the answer to its beginning.
                drop(done);
                let mut open = Vec::new();
                for _ in expected {
                    let accepted = timeout(LIMIT, listener.accept()).await.unwrap();
                    let (mut receiver, _) = accepted.unwrap();
                    let mut head = [0; 10];
                    receiver.read_exact(&mut head).await.unwrap();
                    assert_eq!(&head, b"POST /done");
                    receiver.write_all(answer.as_bytes()).await.unwrap();
                    open.push(receiver);
                }
                let ended = async {
                    loop {
                        let idle = notices.idle().notified();
                        if notices.is_idle() {
                            return;
                        }
                        idle.await;
                    }
                };
                timeout(LIMIT, ended).await.unwrap();
            });
            let events: Vec<_> = events.waiting().collect();
            let reported = events.iter().filter_map(|event| match event {
                Event::Callback(answer) => Some(answer.callback),
                _ => None,
            });
            assert_eq!(reported.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_client_that_leaves_while_it_waits_for_a_slot_is_forgotten() {
        let runtime = Runtime::start().unwrap();
        let callbacks = Unreachable::new(&runtime, &[CallKind::Play], false).callbacks;
        runtime.block_on(async {
            let _slots = callbacks.destinations[&CallKind::Play].take_slots().await;
            let (visit, call) = (samples::visit(), Call::play());
            let asked = timeout(Duration::ZERO, callbacks.admit(&visit, &call)).await;
            assert!(asked.is_err(), "it waits");
            assert_eq!(Arc::strong_count(&callbacks), 1, "no task goes on");
        });
    }

    #[test]
    fn receivers_get_absolute_paths() {
        let here = std::env::current_dir().unwrap();
        let expected = here.join("recordings/live-show.flv").display().to_string();
        assert_eq!(absolute(Path::new("recordings/live-show.flv")), expected);
        assert_eq!(absolute(Path::new(&expected)), expected);
    }
}
