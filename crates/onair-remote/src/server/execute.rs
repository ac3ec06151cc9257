//! Executes requests: sends their commands to the studio, and waits until a snapshot shows the
//! effect, so that the next request of the client sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::call::{Call, Failure, MessageCounts, Outcome};
use crate::events::Event;
use crate::protocol::{status, subscription};
use crate::requests;
use crate::server::limits::SETTLE_TIMEOUT;
use crate::server::shared::Shared;
use crate::session::{Batch, Execution, Request};
use onair_studio::Snapshot;

/// Interval between two looks at the snapshot.
const SETTLE_INTERVAL: Duration = Duration::from_millis(4);

/// What requests need.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub shared: Arc<Shared>,
    pub messages: MessageCounts,
}

impl Context {
    /// Returns the newest snapshot, once the studio has made the first one.
    async fn snapshot(&self) -> Result<Snapshot, Failure> {
        let end = Instant::now() + SETTLE_TIMEOUT;
        loop {
            match self.shared.link.snapshots.get() {
                Some(snapshot) => return Ok(snapshot),
                None if Instant::now() >= end => {
                    return Err(Failure::new(status::NOT_READY, "onair is still starting."));
                }
                None => sleep(SETTLE_INTERVAL).await,
            }
        }
    }

    /// Waits until the snapshot shows the effect of this many commands, and returns it. After the
    /// time limit, returns the newest one.
    async fn settled(&self, sent: u64) -> Result<Arc<Snapshot>, Failure> {
        let end = Instant::now() + SETTLE_TIMEOUT;
        let mut seen = 0;
        loop {
            match self.shared.link.snapshots.newer(&mut seen) {
                Some(snapshot) if snapshot.is_settled(sent) || snapshot.ended => {
                    let snapshot = Arc::new(snapshot);
                    self.shared.report(&snapshot);
                    return Ok(snapshot);
                }
                _ if Instant::now() >= end => return self.snapshot().await.map(Arc::new),
                _ => sleep(SETTLE_INTERVAL).await,
            }
        }
    }

    async fn execute(&self, request: &Request, batch: Option<Execution>) -> Result<Value, Failure> {
        let Some(name) = &request.name else {
            return Err(Failure::new(status::MISSING_TYPE, "The request has no `requestType`."));
        };
        let studio = self.snapshot().await?;
        let call = Call {
            data: &request.data,
            studio: &studio,
            program: &self.shared.link.program,
            messages: self.messages,
        };
        match requests::perform(name, &call)? {
            Outcome::Answer(data) => Ok(data),
            Outcome::Commands(commands, finish) => {
                let busy = || Failure::new(status::CANNOT_ACT, "onair is too busy.");
                let mut sent = 0;
                for command in commands {
                    sent = self.shared.link.send(command).ok_or_else(busy)?;
                }
                let settled = self.settled(sent).await?;
                finish(&settled)
            }
            Outcome::SleepMillis(millis) if batch == Some(Execution::Serial) => {
                sleep(Duration::from_millis(millis)).await;
                Ok(Value::Null)
            }
            Outcome::SleepFrames(frames) if batch == Some(Execution::Frames) => {
                let rate = studio.quality.frame_rate.as_f64().max(1.0);
                sleep(Duration::from_secs_f64(frames as f64 / rate)).await;
                Ok(Value::Null)
            }
            Outcome::SleepMillis(_) | Outcome::SleepFrames(_) => Err(Failure::new(
                status::UNSUPPORTED_EXECUTION,
                "Only a serial batch can sleep: sleepMillis with execution type 0, and sleepFrames \
                 with 1.",
            )),
            Outcome::CustomEvent(data) => {
                let event = Event::new("CustomEvent", subscription::GENERAL, data);
                // Without receivers, nobody misses the event.
                let _ = self.shared.events.send(Arc::new(event));
                Ok(Value::Null)
            }
            Outcome::Work(work) => {
                let failed = |_| Failure::new(status::PROCESSING_FAILED, "The request failed.");
                tokio::task::spawn_blocking(work).await.map_err(failed)?
            }
        }
    }
}

/// Executes a request outside a batch, and returns the answer.
pub(super) async fn response(context: &Context, request: &Request) -> Value {
    answer(request, context.execute(request, None).await).0
}

/// Returns the answer to a request, and whether the request succeeded.
fn answer(request: &Request, result: Result<Value, Failure>) -> (Value, bool) {
    let succeeded = result.is_ok();
    let mut answer = Map::new();
    answer.insert("requestType".to_owned(), request.name.clone().unwrap_or_default().into());
    if let Some(id) = &request.id {
        answer.insert("requestId".to_owned(), id.clone());
    }
    match result {
        Ok(data) => {
            let status = json!({ "result": true, "code": status::SUCCESS });
            answer.insert("requestStatus".to_owned(), status);
            if !data.is_null() {
                answer.insert("responseData".to_owned(), data);
            }
        }
        Err(Failure { status, comment }) => {
            let status = json!({ "result": false, "code": status, "comment": comment });
            answer.insert("requestStatus".to_owned(), status);
        }
    }
    (Value::Object(answer), succeeded)
}

/// Executes a batch, and returns the answers to its requests in their order.
pub(super) async fn batch_response(context: &Context, batch: &Batch) -> Vec<Value> {
    if batch.execution == Execution::Parallel {
        return at_once(context, batch).await;
    }
    let mut answers = Vec::new();
    for request in &batch.requests {
        let result = context.execute(request, Some(batch.execution)).await;
        let (answer, succeeded) = answer(request, result);
        answers.push(answer);
        if !succeeded && batch.halts_on_failure {
            break;
        }
    }
    answers
}

async fn at_once(context: &Context, batch: &Batch) -> Vec<Value> {
    let (mut tasks, mut answers) = (JoinSet::new(), BTreeMap::new());
    for (place, request) in batch.requests.iter().cloned().enumerate() {
        let context = context.clone();
        tasks.spawn(async move {
            let result = context.execute(&request, Some(Execution::Parallel)).await;
            (place, answer(&request, result).0)
        });
    }
    while let Some(done) = tasks.join_next().await {
        answers.extend(done);
    }
    answers.into_values().collect()
}
