//! The state of a connection, without a socket and without a clock.

use serde_json::{Map, Value, json};

use crate::base::Secret;
use crate::net::web::SocketMessage;
use crate::password::Challenge;
use crate::protocol::{
    CloseReason, Encoding, OBS_VERSION, PROTOCOL_VERSION, RPC_VERSION, op, subscription,
};

/// Maximum number of requests of a batch.
pub const MAX_BATCH_REQUESTS: usize = 1_000;
/// Maximum length of a message of a client that has not proven the password, in bytes.
const MAX_UNKNOWN_BYTES: usize = 16 << 10;

/// How the requests of a batch are executed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Execution {
    /// In order. A `Sleep` takes milliseconds.
    Serial,
    /// In order. A `Sleep` takes frames of the program.
    Frames,
    /// All at once.
    Parallel,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The client's name for the request, which its answer repeats.
    pub id: Option<Value>,
    /// The name of the request; `None` if it is missing or no text.
    pub name: Option<String>,
    pub data: Map<String, Value>,
}

/// Several requests with one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub id: Value,
    pub execution: Execution,
    pub halts_on_failure: bool,
    pub requests: Vec<Request>,
}

/// What must be done because of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The client is known from now on; this is the answer.
    Identified(SocketMessage),
    Reply(SocketMessage),
    Request(Request),
    Batch(Batch),
    Close(CloseReason),
}

/// The state of a connection.
#[derive(Debug)]
pub struct Session {
    encoding: Encoding,
    challenge: Challenge,
    is_identified: bool,
    /// The groups of events that the client wants.
    pub subscriptions: u32,
}

impl Session {
    pub fn new(encoding: Encoding, challenge: Challenge) -> Self {
        Self { encoding, challenge, is_identified: false, subscriptions: 0 }
    }

    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    pub fn is_identified(&self) -> bool {
        self.is_identified
    }

    /// Returns the first message, which contains the challenge.
    pub fn hello(&self) -> SocketMessage {
        let Challenge { challenge, salt } = &self.challenge;
        let hello = json!({
            "obsStudioVersion": OBS_VERSION,
            "obsWebSocketVersion": PROTOCOL_VERSION,
            "rpcVersion": RPC_VERSION,
            "authentication": { "challenge": challenge, "salt": salt },
        });
        self.encoding.encode(op::HELLO, &hello)
    }

    /// Handles a message.
    pub fn receive(&mut self, message: &SocketMessage, password: &Secret) -> Step {
        if !self.is_identified && message.len() > MAX_UNKNOWN_BYTES {
            return Step::Close(CloseReason::NotIdentified);
        }
        let incoming = match self.encoding.decode(message) {
            Ok(incoming) => incoming,
            Err(reason) => return Step::Close(reason),
        };
        let data = incoming.data;
        let step = match (incoming.op, self.is_identified) {
            (op::IDENTIFY, false) => self.identify(&data, password),
            (op::IDENTIFY, true) => Err(CloseReason::AlreadyIdentified),
            (op::REIDENTIFY | op::REQUEST | op::BATCH, false) => Err(CloseReason::NotIdentified),
            (op::REIDENTIFY, true) => {
                self.subscribe(&data).map(|()| Step::Reply(self.identified()))
            }
            (op::REQUEST, true) => request_of(data, true).map(Step::Request),
            (op::BATCH, true) => batch_of(data).map(Step::Batch),
            _ => Err(CloseReason::UnknownOpCode),
        };
        step.unwrap_or_else(Step::Close)
    }

    fn identify(
        &mut self,
        data: &Map<String, Value>,
        password: &Secret,
    ) -> Result<Step, CloseReason> {
        let version = data.get("rpcVersion").ok_or(CloseReason::MissingDataField("rpcVersion"))?;
        let version = version.as_u64().ok_or(CloseReason::InvalidDataFieldType("rpcVersion"))?;
        let proof = data.get("authentication").unwrap_or(&Value::Null);
        let is_known = proof.as_str().is_some_and(|it| self.challenge.is_proof(password, it));
        if !is_known || password.is_empty() {
            return Err(CloseReason::AuthenticationFailed);
        }
        if version == 0 {
            return Err(CloseReason::UnsupportedRpcVersion);
        }
        self.subscriptions = subscription::ALL;
        self.subscribe(data)?;
        self.is_identified = true;
        Ok(Step::Identified(self.identified()))
    }

    fn subscribe(&mut self, data: &Map<String, Value>) -> Result<(), CloseReason> {
        match data.get("eventSubscriptions") {
            None | Some(Value::Null) => {}
            Some(value) => {
                let wanted = value.as_u64().filter(|_| value.is_number());
                let wrong = CloseReason::InvalidDataFieldType("eventSubscriptions");
                // Unknown groups have no events.
                self.subscriptions = wanted.ok_or(wrong)? as u32;
            }
        }
        Ok(())
    }

    fn identified(&self) -> SocketMessage {
        self.encoding.encode(op::IDENTIFIED, &json!({ "negotiatedRpcVersion": RPC_VERSION }))
    }
}

/// Reads a request. Outside a batch, it needs an id.
fn request_of(mut data: Map<String, Value>, needs_id: bool) -> Result<Request, CloseReason> {
    let id = data.remove("requestId").filter(|id| !id.is_null());
    if needs_id && id.is_none() {
        return Err(CloseReason::MissingDataField("requestId"));
    }
    if id.as_ref().is_some_and(|id| !id.is_string() && !id.is_number()) {
        return Err(CloseReason::InvalidDataFieldType("requestId"));
    }
    let name = match data.remove("requestType") {
        Some(Value::String(name)) => Some(name),
        None if needs_id => return Err(CloseReason::MissingDataField("requestType")),
        Some(_) if needs_id => return Err(CloseReason::InvalidDataFieldType("requestType")),
        _ => None,
    };
    match data.remove("requestData") {
        None | Some(Value::Null) => Ok(Request { id, name, data: Map::new() }),
        Some(Value::Object(data)) => Ok(Request { id, name, data }),
        Some(_) => Err(CloseReason::InvalidDataFieldType("requestData")),
    }
}

fn batch_of(mut data: Map<String, Value>) -> Result<Batch, CloseReason> {
    let id = data.remove("requestId").ok_or(CloseReason::MissingDataField("requestId"))?;
    let flag = |data: &Map<String, Value>, name: &'static str| match data.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(value) => value.as_bool().ok_or(CloseReason::InvalidDataFieldType(name)),
    };
    let halts_on_failure = flag(&data, "haltOnFailure")?;
    let execution = match data.get("executionType") {
        None | Some(Value::Null) => Execution::Serial,
        Some(value) => match value.as_i64() {
            Some(0) => Execution::Serial,
            Some(1) => Execution::Frames,
            Some(2) => Execution::Parallel,
            Some(_) => return Err(CloseReason::InvalidDataFieldValue("executionType")),
            None => return Err(CloseReason::InvalidDataFieldType("executionType")),
        },
    };
    if execution == Execution::Parallel && halts_on_failure {
        return Err(CloseReason::InvalidDataFieldValue("haltOnFailure"));
    }
    let requests = match data.remove("requests") {
        Some(Value::Array(requests)) => requests,
        Some(_) => return Err(CloseReason::InvalidDataFieldType("requests")),
        None => return Err(CloseReason::MissingDataField("requests")),
    };
    if requests.len() > MAX_BATCH_REQUESTS {
        return Err(CloseReason::InvalidDataFieldValue("requests"));
    }
    let requests = requests.into_iter().map(|request| match request {
        Value::Object(request) => request_of(request, false),
        _ => Err(CloseReason::InvalidDataFieldType("requests")),
    });
    let requests = requests.collect::<Result<_, _>>()?;
    Ok(Batch { id, execution, halts_on_failure, requests })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        let challenge = Challenge { challenge: "challenge".to_owned(), salt: "salt".to_owned() };
        Session::new(Encoding::Json, challenge)
    }

    fn send(session: &mut Session, op: u64, data: &Value) -> Step {
        session.receive(&Encoding::Json.encode(op, data), &Secret::new("tulip"))
    }

    /// Returns a client's proof of the password `tulip`, computed with Python's hashlib.
    const PROOF: &str = "mplugtRYB6o74j/n7NMk7u8cD8kDgYbkSV9Dt/iOWCM=";

    fn identified() -> Session {
        let mut it = session();
        let step =
            send(&mut it, op::IDENTIFY, &json!({ "rpcVersion": 1, "authentication": PROOF }));
        assert!(matches!(step, Step::Identified(_)), "{step:?}");
        it
    }

    #[test]
    fn nothing_but_a_proof_of_the_password_opens_the_session() {
        for (op, data, reason) in [
            (op::REQUEST, json!({}), CloseReason::NotIdentified),
            (op::BATCH, json!({}), CloseReason::NotIdentified),
            (op::REIDENTIFY, json!({}), CloseReason::NotIdentified),
            (op::HELLO, json!({}), CloseReason::UnknownOpCode),
            (99, json!({}), CloseReason::UnknownOpCode),
            (op::IDENTIFY, json!({}), CloseReason::MissingDataField("rpcVersion")),
            (op::IDENTIFY, json!({ "rpcVersion": 1 }), CloseReason::AuthenticationFailed),
            (
                op::IDENTIFY,
                json!({ "rpcVersion": 1, "authentication": "tulip" }),
                CloseReason::AuthenticationFailed,
            ),
            (
                op::IDENTIFY,
                json!({ "rpcVersion": 0, "authentication": PROOF }),
                CloseReason::UnsupportedRpcVersion,
            ),
            (op::REQUEST, json!({ "x": "y".repeat(20_000) }), CloseReason::NotIdentified),
        ] {
            let mut it = session();
            assert_eq!(send(&mut it, op, &data), Step::Close(reason));
            assert!(!it.is_identified());
        }
        let mut it = session();
        let data = json!({ "rpcVersion": 1, "authentication": PROOF });
        let message = Encoding::Json.encode(op::IDENTIFY, &data);
        let step = it.receive(&message, &Secret::new(""));
        assert_eq!(step, Step::Close(CloseReason::AuthenticationFailed));
    }

    #[test]
    fn subscriptions_are_all_at_first_and_can_change() {
        let mut it = identified();
        assert_eq!(it.subscriptions, subscription::ALL);
        let step = send(&mut it, op::REIDENTIFY, &json!({ "eventSubscriptions": 65_540 }));
        assert!(matches!(step, Step::Reply(_)));
        assert_eq!(it.subscriptions, subscription::SCENES | subscription::INPUT_VOLUME_METERS);
        send(&mut it, op::REIDENTIFY, &json!({}));
        assert_eq!(it.subscriptions, 65_540, "nothing was asked");
        let wrong = send(&mut it, op::REIDENTIFY, &json!({ "eventSubscriptions": "all" }));
        let reason = CloseReason::InvalidDataFieldType("eventSubscriptions");
        assert_eq!(wrong, Step::Close(reason));
        let again = send(&mut it, op::IDENTIFY, &json!({ "rpcVersion": 1 }));
        assert_eq!(again, Step::Close(CloseReason::AlreadyIdentified));
    }

    #[test]
    fn batches_are_read_whole_or_end_the_session() {
        let mut it = identified();
        let sleep = json!({ "requestType": "Sleep", "requestData": { "sleepMillis": 5 } });
        let step = send(
            &mut it,
            op::BATCH,
            &json!({ "requestId": "b", "executionType": 1, "requests": [sleep, {}] }),
        );
        let Step::Batch(batch) = step else { panic!("{step:?}") };
        assert_eq!((batch.execution, batch.requests.len()), (Execution::Frames, 2));
        assert_eq!(batch.requests[1], Request { id: None, name: None, data: Map::new() });
        let many = vec![json!({}); MAX_BATCH_REQUESTS + 1];
        for (data, code) in [
            (json!({ "requests": [] }), 4003),
            (json!({ "requestId": "b" }), 4003),
            (json!({ "requestId": "b", "requests": {} }), 4004),
            (json!({ "requestId": "b", "requests": [7] }), 4004),
            (json!({ "requestId": "b", "requests": many }), 4005),
            (json!({ "requestId": "b", "requests": [], "executionType": -1 }), 4005),
            (json!({ "requestId": "b", "requests": [], "haltOnFailure": 1 }), 4004),
            (
                json!({ "requestId": "b", "requests": [], "haltOnFailure": true,
                        "executionType": 2 }),
                4005,
            ),
        ] {
            match send(&mut it, op::BATCH, &data) {
                Step::Close(reason) => assert_eq!(reason.code(), code, "{data}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
