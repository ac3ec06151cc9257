//! Executes requests: sends their commands to the studio, and waits until a snapshot shows the
//! effect, so that the next request of the client sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::call::{Call, Failure, MessageCounts, Outcome};
use crate::events::Event;
use crate::protocol::{status, subscription};
use crate::requests;
use crate::server::limits::{
    MAX_BATCH_ANSWER_BYTES, MAX_BATCH_SLEEP, MAX_CUSTOM_EVENT_BYTES, SETTLE_TIMEOUT, WORK_TIMEOUT,
};
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

    /// Executes a request. `batch` is what is left to its batch, if it is in one.
    async fn execute(&self, request: &Request, batch: Option<&Left>) -> Result<Value, Failure> {
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
            Outcome::SleepMillis(millis)
                if let Some(left) = batch.filter(|it| it.execution == Execution::Serial) =>
            {
                left.sleep(Duration::from_millis(millis)).await
            }
            Outcome::SleepFrames(frames)
                if let Some(left) = batch.filter(|it| it.execution == Execution::Frames) =>
            {
                let rate = studio.quality.frame_rate.as_f64().max(1.0);
                left.sleep(Duration::from_secs_f64(frames as f64 / rate)).await
            }
            Outcome::SleepMillis(_) | Outcome::SleepFrames(_) => Err(Failure::new(
                status::UNSUPPORTED_EXECUTION,
                "Only a serial batch can sleep: sleepMillis with execution type 0, and sleepFrames \
                 with 1.",
            )),
            Outcome::CustomEvent(data) => {
                if bytes_of(&data) > MAX_CUSTOM_EVENT_BYTES {
                    return Err(Failure::new(status::CANNOT_ACT, "The event is too large."));
                }
                if !self.shared.custom_events.lock().admits(self.shared.clock.now()) {
                    return Err(Failure::new(status::CANNOT_ACT, "There are too many events."));
                }
                let event = Event::new("CustomEvent", subscription::GENERAL, data);
                // Without receivers, nobody misses the event.
                let _ = self.shared.events.send(Arc::new(event));
                Ok(Value::Null)
            }
            Outcome::Work(work) => {
                let failed = |_| Failure::new(status::PROCESSING_FAILED, "The request failed.");
                let busy = || Failure::new(status::CANNOT_ACT, "onair makes other screenshots.");
                // Names are looked up on the same threads, and the encoder needs the processor.
                let turn = timeout(WORK_TIMEOUT, self.shared.work.acquire()).await;
                let _turn = turn.ok().and_then(Result::ok).ok_or_else(busy)?;
                tokio::task::spawn_blocking(work).await.map_err(failed)?
            }
        }
    }
}

/// What is left to a batch.
#[derive(Debug)]
struct Left {
    execution: Execution,
    bytes: AtomicUsize,
    sleep_millis: AtomicUsize,
}

impl Left {
    fn new(execution: Execution) -> Self {
        let sleep_millis = AtomicUsize::new(MAX_BATCH_SLEEP.as_millis() as usize);
        Self { execution, bytes: AtomicUsize::new(MAX_BATCH_ANSWER_BYTES), sleep_millis }
    }

    /// Takes an amount, if so much is left.
    fn take(from: &AtomicUsize, amount: usize) -> bool {
        let less = |left: usize| left.checked_sub(amount);
        from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    fn may_sleep(&self, duration: Duration) -> bool {
        let millis = usize::try_from(duration.as_millis()).unwrap_or(usize::MAX);
        Self::take(&self.sleep_millis, millis)
    }

    async fn sleep(&self, duration: Duration) -> Result<Value, Failure> {
        if !self.may_sleep(duration) {
            return Err(Failure::new(status::CANNOT_ACT, "The batch sleeps too long."));
        }
        sleep(duration).await;
        Ok(Value::Null)
    }

    /// Returns the result, or a failure if the answers of the batch become too large.
    fn bounded(&self, result: Result<Value, Failure>) -> Result<Value, Failure> {
        let data = result?;
        match Self::take(&self.bytes, bytes_of(&data)) {
            true => Ok(data),
            false => Err(Failure::new(status::CANNOT_ACT, "The batch's answers are too large.")),
        }
    }
}

/// Returns about how many bytes a value has as text.
fn bytes_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(values) => values.iter().map(|it| bytes_of(it) + 1).sum::<usize>() + 2,
        Value::Object(fields) => {
            fields.iter().map(|(name, it)| name.len() + bytes_of(it) + 4).sum::<usize>() + 2
        }
        _ => 8,
    }
}

/// Executes a request outside a batch, and returns the answer.
pub(super) async fn response(context: &Context, request: &Request) -> Value {
    answer(request, context.execute(request, None).await).0
}

/// Returns the answer to a request, and whether the request succeeded.
pub(super) fn answer(request: &Request, result: Result<Value, Failure>) -> (Value, bool) {
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
    let (mut answers, left) = (Vec::new(), Left::new(batch.execution));
    for request in &batch.requests {
        let result = context.execute(request, Some(&left)).await;
        let (answer, succeeded) = answer(request, left.bounded(result));
        answers.push(answer);
        if !succeeded && batch.halts_on_failure {
            break;
        }
    }
    answers
}

async fn at_once(context: &Context, batch: &Batch) -> Vec<Value> {
    let (mut tasks, mut answers) = (JoinSet::new(), BTreeMap::new());
    let left = Arc::new(Left::new(Execution::Parallel));
    for (place, request) in batch.requests.iter().cloned().enumerate() {
        let (context, left) = (context.clone(), Arc::clone(&left));
        tasks.spawn(async move {
            let result = context.execute(&request, Some(&left)).await;
            (place, answer(&request, left.bounded(result)).0)
        });
    }
    while let Some(done) = tasks.join_next().await {
        answers.extend(done);
    }
    answers.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_of_a_batch_are_limited_in_bytes_and_later_small_ones_fit_again() {
        let left = Left::new(Execution::Parallel);
        let image = |bytes: usize| Ok(json!({ "imageData": "a".repeat(bytes) }));
        assert!(left.bounded(image(20 << 20)).is_ok());
        assert!(left.bounded(image(20 << 20)).is_err());
        assert!(left.bounded(image(5 << 20)).is_ok());
    }

    #[test]
    fn a_batch_sleeps_at_most_two_minutes() {
        let left = Left::new(Execution::Serial);
        let slept = [50, 50, 50, 20].map(|seconds| left.may_sleep(Duration::from_secs(seconds)));
        assert_eq!(slept, [true, true, false, true]);
    }
}
