//! One client: reads its messages, executes its requests in order, and sends answers and events.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::call::{Failure, MessageCounts};
use crate::events::Event;
use crate::net::Stream;
use crate::net::web::{ServerSocket, SocketMessage};
use crate::password::Challenge;
use crate::protocol::{CloseReason, Encoding, op, status, subscription};
use crate::server::execute::{Context, answer, batch_response, response};
use crate::server::limits::{
    IDENTIFY_TIMEOUT, MAX_MESSAGE_BYTES, MAX_RUNNING_BATCHES, Rate, SEND_TIMEOUT,
};
use crate::server::shared::{ClientEntry, Shared, stopped};
use crate::session::{Batch, Request, Session, Step};

/// The socket of a client, and the messages that it exchanged.
struct Connection {
    socket: ServerSocket,
    counts: MessageCounts,
}

impl Connection {
    /// # Errors
    /// Fails if the client takes no message.
    async fn send(&mut self, message: SocketMessage) -> Result<(), CloseReason> {
        self.counts.outgoing += 1;
        match self.socket.send(message, SEND_TIMEOUT).await {
            true => Ok(()),
            false => Err(CloseReason::TooSlow),
        }
    }
}

/// Serves a client until either side ends the connection.
pub(super) async fn serve(stream: Stream, peer: SocketAddr, entry: ClientEntry) {
    let shared = Arc::clone(&entry.shared);
    let accepted = ServerSocket::accept(stream, &Encoding::SUBPROTOCOLS, MAX_MESSAGE_BYTES).await;
    let (Some(socket), Some(challenge)) = (accepted, Challenge::new()) else { return };
    let session = Session::new(Encoding::of(socket.protocol()), challenge);
    let mut connection = Connection { socket, counts: MessageCounts::default() };
    let ended = talk(&mut connection, session, peer, &entry).await;
    if let Err(reason) = ended {
        tracing::info!(%peer, ?reason, "remote control: onair disconnects a client");
        if reason == CloseReason::AuthenticationFailed {
            sleep(wrong_password(&shared, peer, connection.socket.is_of_page())).await;
        }
        connection.socket.close(reason.code(), &reason.words()).await;
    }
}

/// Notes a wrong password, and returns the time after which the client gets the answer.
fn wrong_password(shared: &Shared, peer: SocketAddr, is_page: bool) -> Duration {
    let (mut wrong, now) = (shared.wrong_passwords.lock(), shared.clock.now());
    let from = (peer.ip(), is_page);
    wrong.note(from, now);
    wrong.delay(from, now)
}

/// Exchanges messages until the client leaves.
///
/// # Errors
/// Fails with the reason why onair ends the connection.
async fn talk(
    connection: &mut Connection,
    mut session: Session,
    peer: SocketAddr,
    entry: &ClientEntry,
) -> Result<(), CloseReason> {
    let shared = &entry.shared;
    // A web page cannot slow down the programs on its computer.
    let from = (peer.ip(), connection.socket.is_of_page());
    let delay = shared.wrong_passwords.lock().delay(from, shared.clock.now());
    sleep(delay).await;
    connection.send(session.hello()).await?;
    let mut stop = shared.stop.clone();
    let (mut events, mut meters) = (shared.events.subscribe(), shared.meters.subscribe());
    let mut rate = Rate::of_requests(shared.clock.now());
    let mut batches: JoinSet<Value> = JoinSet::new();
    let deadline = sleep(IDENTIFY_TIMEOUT);
    tokio::pin!(deadline);
    loop {
        let is_known = session.is_identified();
        let wants_meters = session.subscriptions & subscription::INPUT_VOLUME_METERS != 0;
        let message = tokio::select! {
            () = stopped(&mut stop) => return Err(CloseReason::SessionInvalidated),
            () = &mut deadline, if !is_known => return Err(CloseReason::Silent),
            event = events.recv(), if is_known => {
                match event {
                    Ok(event) => pass_on(connection, &session, &event).await?,
                    Err(RecvError::Lagged(_)) => return Err(CloseReason::TooSlow),
                    Err(RecvError::Closed) => return Err(CloseReason::SessionInvalidated),
                }
                continue;
            }
            Some(done) = batches.join_next() => {
                if let Ok(results) = done {
                    connection.send(session.encoding().encode(op::BATCH_RESPONSE, &results)).await?;
                }
                continue;
            }
            Ok(()) = meters.changed(), if is_known && wants_meters => {
                let data = Value::clone(&meters.borrow_and_update());
                let intent = subscription::INPUT_VOLUME_METERS;
                let event = Event::new("InputVolumeMeters", intent, data);
                pass_on(connection, &session, &event).await?;
                continue;
            }
            message = connection.socket.next() => message,
        };
        let Some(message) = message else { return Ok(()) };
        connection.counts.incoming += 1;
        let context = || Context { shared: Arc::clone(shared), messages: connection.counts };
        match session.receive(&message, &shared.password) {
            Step::Close(reason) => return Err(reason),
            Step::Identified(answer) => {
                shared.wrong_passwords.lock().forgive(from);
                tracing::info!(%peer, "remote control: a client is connected");
                events = shared.events.subscribe();
                shared.subscribe(entry.id, session.subscriptions);
                connection.send(answer).await?;
            }
            Step::Reply(answer) => {
                shared.subscribe(entry.id, session.subscriptions);
                connection.send(answer).await?;
            }
            Step::Request(request) => {
                pause(rate.wait_for(1, shared.clock.now())).await;
                let answer = response(&context(), &request).await;
                let answer = session.encoding().encode(op::REQUEST_RESPONSE, &answer);
                connection.send(answer).await?;
            }
            Step::Batch(batch) if batches.len() >= MAX_RUNNING_BATCHES => {
                let answer = too_many_batches(&batch);
                connection.send(session.encoding().encode(op::BATCH_RESPONSE, &answer)).await?;
            }
            Step::Batch(batch) => {
                pause(rate.wait_for(batch.requests.len(), shared.clock.now())).await;
                let context = context();
                batches.spawn(async move {
                    let results = batch_response(&context, &batch).await;
                    json!({ "requestId": batch.id, "results": results })
                });
            }
        }
    }
}

/// Returns the answer to a batch beyond the limit: each request fails.
fn too_many_batches(batch: &Batch) -> Value {
    let comment = "Too many batches run at the same time.";
    let refused = |request: &Request| {
        let failure = Failure::new(status::CANNOT_ACT, comment);
        answer(request, Err(failure)).0
    };
    let results: Vec<Value> = batch.requests.iter().map(refused).collect();
    json!({ "requestId": batch.id, "results": results })
}

async fn pause(wait: Duration) {
    if !wait.is_zero() {
        sleep(wait).await;
    }
}

/// Sends an event to a client that wants it.
async fn pass_on(
    connection: &mut Connection,
    session: &Session,
    event: &Event,
) -> Result<(), CloseReason> {
    if session.subscriptions & event.intent == 0 {
        return Ok(());
    }
    let message = json!({
        "eventType": event.name,
        "eventIntent": event.intent,
        "eventData": event.data,
    });
    connection.send(session.encoding().encode(op::EVENT, &message)).await
}
