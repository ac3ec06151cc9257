//! Connects to the other side, whoever calls (draft-sharabayko-srt-01 §4.3).

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use srt_runtime::{NegotiatedParams, RejectionReason};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::base::{Clock, Timestamp};
use crate::net::connect::datagrams::{DatagramOptions, DatagramPort, DatagramSender};
use crate::net::connect::{Endpoint, Options};
use crate::net::error::{Cause, ConnectStage, Error, Refusal, Step};
use crate::net::random::random_bytes;
use crate::net::srt::accept::{Acceptor, Reply};
use crate::net::srt::calling::{Calling, HandshakeOutput};
use crate::net::srt::engine::Agreed;
use crate::net::srt::mode::Mode;
use crate::net::srt::packets::MAX_DATAGRAM_BYTES;
use crate::net::srt::socket::{Road, SrtSocket};
use crate::net::srt::url::SrtUrl;
use crate::text::problem::problem;

/// Interval at which an unanswered question is repeated.
const REPEAT_INTERVAL: Duration = Duration::from_millis(250);

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("limit", &self.limit).finish_non_exhaustive()
    }
}

type Failure = (ConnectStage, Cause);

/// What a handshake needs, whatever the mode is.
#[derive(Copy, Clone)]
pub struct Request<'a> {
    pub net: &'a Options,
    /// Time limit of the handshake.
    pub limit: Duration,
    /// The bitrate of the stream that this side sends, if it is known, in bits per second.
    pub bitrate: Option<u64>,
    pub clock: Clock,
    pub on_step: &'a (dyn Fn(Step<'_>) + Send + Sync),
}

/// Connects, and calls `on_step` at the beginning of each stage. This function is cancel-safe.
///
/// # Errors
/// Fails with the stage and the cause.
pub async fn connect(url: &SrtUrl, request: &Request<'_>) -> Result<SrtSocket, Error> {
    let endpoint = Endpoint { host: url.host.clone(), port: url.port, tls: false };
    let peer = url.authority();
    let fail = |(stage, cause)| Error { stage, cause, peer: peer.clone() };
    if url.mode == Mode::Listener {
        let port = DatagramPort::open(&endpoint, request.net, request.on_step).await?;
        (request.on_step)(Step::Stage(ConnectStage::Handshake));
        return await_caller(url, request, port).await.map_err(fail);
    }
    let same_port = url.mode == Mode::Rendezvous;
    let wanted = DatagramOptions { same_port, ..DatagramOptions::default() };
    let sender = DatagramSender::open(&endpoint, &wanted, request.net, request.on_step).await?;
    (request.on_step)(Step::Stage(ConnectStage::Handshake));
    let own_id = own_id().map_err(&fail)?;
    let mut calling = Calling::new(url, own_id).ok_or_else(|| fail(no_randomness()))?;
    let found = agree(&mut calling, &sender, request, same_port).await.map_err(&fail)?;
    let HandshakeResult { params, receive_sequence, repeat, begun } = found;
    let agreed = Agreed {
        own_id,
        peer_id: params.peer_socket_id,
        send_sequence: calling.send_sequence(),
        receive_sequence,
        latency: Duration::from_millis(params.latency_ms.into()),
        window: params.max_flow_window_size as usize,
        keys: calling.keys(url),
        begun,
    };
    let road = Road::Own { sender, answer: repeat };
    Ok(SrtSocket::new(road, agreed, request.bitrate, request.clock))
}

fn no_randomness() -> Failure {
    (ConnectStage::Handshake, Cause::Io(problem!("server-no-randomness")))
}

fn own_id() -> Result<u32, Failure> {
    let random = random_bytes().ok_or_else(no_randomness)?;
    Ok((u32::from_be_bytes(random) >> 2).max(1))
}

/// The result of a handshake.
struct HandshakeResult {
    params: NegotiatedParams,
    receive_sequence: u32,
    /// The last datagram, which is repeated if the other side has not got it.
    repeat: Option<Vec<u8>>,
    /// The time at which the last word that the other side has answered was said first.
    begun: Timestamp,
}

async fn agree(
    handshake: &mut Calling,
    sender: &DatagramSender,
    request: &Request<'_>,
    waits: bool,
) -> Result<HandshakeResult, Failure> {
    let (limit, clock) = (request.limit, request.clock);
    let silent = || (ConnectStage::Handshake, Cause::SrtSilent { after: limit });
    let first = handshake.start().ok_or_else(silent)?;
    let mut outgoing = vec![first];
    let mut ticks = interval(REPEAT_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    let end = Instant::now() + limit;
    let mut datagram = [0; MAX_DATAGRAM_BYTES];
    let mut begun = clock.now();
    loop {
        let mut repeat = None;
        for bytes in outgoing.drain(..) {
            let sent = poll_fn(|cx| sender.poll_send(cx, &bytes)).await;
            passing(sent.map(|_| ()), waits)?;
            repeat = Some(bytes);
        }
        let mut is_news = true;
        let outputs = tokio::select! {
            () = tokio::time::sleep_until(end) => return Err(silent()),
            _ = ticks.tick() => {
                is_news = false;
                handshake.tick()
            }
            received = poll_fn(|cx| sender.poll_receive(cx, &mut datagram)) => match received {
                Ok(length) => {
                    let bytes = datagram.get(..length).unwrap_or_default();
                    handshake.receive(bytes)
                }
                Err(error) => {
                    passing(Err(error), waits)?;
                    Vec::new()
                }
            },
        };
        let mut connected = None;
        for output in outputs {
            match output {
                HandshakeOutput::Send(bytes) => outgoing.push(bytes),
                HandshakeOutput::Connected(params) => connected = Some(params),
                HandshakeOutput::Rejected(reason) => return Err(rejected(reason)),
                _ => return Err(silent()),
            }
        }
        if let Some(params) = connected {
            for bytes in outgoing {
                let sent = poll_fn(|cx| sender.poll_send(cx, &bytes)).await;
                passing(sent.map(|_| ()), waits)?;
                repeat = Some(bytes);
            }
            // Only a rendezvous has a last word of ours.
            let repeat = repeat.filter(|_| waits);
            let receive_sequence = handshake.receive_sequence();
            return Ok(HandshakeResult { params, receive_sequence, repeat, begun });
        }
        if is_news && !outgoing.is_empty() {
            begun = clock.now();
        }
    }
}

/// Waits until somebody calls.
async fn await_caller(
    url: &SrtUrl,
    request: &Request<'_>,
    port: DatagramPort,
) -> Result<SrtSocket, Failure> {
    let acceptor = Acceptor::new().ok_or_else(no_randomness)?;
    let own_id = own_id()?;
    let accepted = timeout(request.limit, async {
        let mut datagram = [0; MAX_DATAGRAM_BYTES];
        loop {
            let received = port.receive(&mut datagram).await;
            let Ok((length, from)) = received else {
                // An earlier caller may have gone meanwhile.
                tokio::time::sleep(REPEAT_INTERVAL).await;
                continue;
            };
            let bytes = datagram.get(..length).unwrap_or_default();
            let answer = match acceptor.answer(bytes, from, request.clock.now()) {
                Reply::None => continue,
                Reply::Send(answer) => answer,
                Reply::Call(call) => {
                    match call.accept(
                        own_id,
                        url.passphrase.as_ref(),
                        (url.latency, request.clock.now()),
                    ) {
                        Ok((agreed, answer)) => return Some((agreed, answer, from)),
                        Err((answer, reason)) => {
                            tracing::info!(%from, reason, "rejected an SRT caller");
                            answer
                        }
                    }
                }
            };
            let _ = port.send(&answer, from).await;
        }
    });
    let silent = || (ConnectStage::Handshake, Cause::SrtNoCaller { after: request.limit });
    let (agreed, answer, from) = accepted.await.ok().flatten().ok_or_else(silent)?;
    let sender = to_caller(port, from, &answer).await;
    let sender = sender.map_err(|error| (ConnectStage::Handshake, Cause::from_io(&error)))?;
    let road = Road::Own { sender, answer: Some(answer) };
    Ok(SrtSocket::new(road, agreed, request.bitrate, request.clock))
}

async fn to_caller(
    port: DatagramPort,
    from: SocketAddr,
    answer: &[u8],
) -> io::Result<DatagramSender> {
    let sender = port.only(from).await?;
    poll_fn(|cx| sender.poll_send(cx, answer)).await?;
    Ok(sender)
}

/// Nothing listens on the port if the system says so, unless the other side may come later. Other
/// failures of a datagram may pass.
fn passing(result: io::Result<()>, waits: bool) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && !waits => {
            Err((ConnectStage::Handshake, Cause::ConnectionRefused))
        }
        Err(error) if !DatagramSender::is_passing(&error) => {
            Err((ConnectStage::Handshake, Cause::from_io(&error)))
        }
        _ => Ok(()),
    }
}

fn rejected(reason: RejectionReason) -> Failure {
    let refusal = match reason {
        RejectionReason::BadSecret | RejectionReason::Unsecure => Refusal::Unauthorized,
        RejectionReason::Backlog | RejectionReason::Resource | RejectionReason::Close => {
            Refusal::Busy
        }
        // Servers reject stream ids with numbers of their own, which follow those of HTTP.
        RejectionReason::Reserved(2_401 | 2_403) => Refusal::Unauthorized,
        RejectionReason::Reserved(2_404) => Refusal::NotFound,
        RejectionReason::Reserved(2_402 | 2_409 | 2_423 | 2_503) => Refusal::Busy,
        _ => Refusal::Rejected,
    };
    let code = match reason {
        RejectionReason::Reserved(code) => code.to_string(),
        known => known.name().to_owned(),
    };
    (ConnectStage::Publish, Cause::Status { refusal, code, description: String::new() })
}
