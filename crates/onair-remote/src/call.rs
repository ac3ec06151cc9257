//! One request: reads its fields, and gives its result or the reason of its failure.

use serde_json::{Map, Value};

use crate::base::Latest;
use crate::protocol::status;
use onair_base::media::VideoFrame;
use onair_base::text::Language;
use onair_studio::scenes::MAX_NAME;
use onair_studio::scenes::edits::Edit;
use onair_studio::{Command, Snapshot};

/// The reason why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub status: u16,
    pub comment: String,
}

impl Failure {
    pub fn new(status: u16, comment: impl Into<String>) -> Self {
        Self { status, comment: comment.into() }
    }

    pub fn not_found(what: &str, name: &str) -> Self {
        Self::new(status::NOT_FOUND, format!("There is no {what} `{name}`."))
    }
}

/// Makes the answer from the snapshot that shows the effect of the commands.
pub type Finish = Box<dyn FnOnce(&Snapshot) -> Result<Value, Failure> + Send>;

/// What a request leads to.
pub enum Outcome {
    /// The answer; null means that it contains no data.
    Answer(Value),
    /// Commands, and the answer after their execution.
    Commands(Vec<Command>, Finish),
    SleepMillis(u64),
    SleepFrames(u64),
    /// An event with this data for all clients.
    CustomEvent(Value),
    /// An answer that takes long to compute.
    Work(Box<dyn FnOnce() -> Result<Value, Failure> + Send>),
}

impl Outcome {
    /// Returns an outcome without data.
    pub fn nothing() -> Self {
        Self::Answer(Value::Null)
    }

    /// Executes commands; the answer contains no data.
    pub fn commands(commands: Vec<Command>) -> Self {
        Self::Commands(commands, Box::new(|_| Ok(Value::Null)))
    }

    /// Executes a command; the answer contains no data.
    pub fn command(command: Command) -> Self {
        Self::commands(vec![command])
    }
}

/// The result of a request.
pub type CallResult = Result<Outcome, Failure>;

/// A request: its name, and the function that performs it.
pub type RequestEntry = (&'static str, fn(&Call<'_>) -> CallResult);

/// The numbers of messages of a connection.
#[derive(Copy, Clone, Debug, Default)]
pub struct MessageCounts {
    pub incoming: u64,
    pub outgoing: u64,
}

/// A request, and what it can read.
pub struct Call<'a> {
    pub data: &'a Map<String, Value>,
    pub studio: &'a Snapshot,
    pub program: &'a Latest<VideoFrame>,
    pub messages: MessageCounts,
}

impl<'a> Call<'a> {
    /// Returns a field that is not null.
    pub fn field(&self, name: &str) -> Option<&'a Value> {
        self.data.get(name).filter(|value| !value.is_null())
    }

    fn needed(&self, name: &str) -> Result<&'a Value, Failure> {
        let comment = || format!("The field `{name}` is missing.");
        self.field(name).ok_or_else(|| Failure::new(status::MISSING_FIELD, comment()))
    }

    fn typed<T>(name: &str, value: Option<T>, kind: &str) -> Result<T, Failure> {
        let comment = || format!("The field `{name}` must be {kind}.");
        value.ok_or_else(|| Failure::new(status::INVALID_FIELD_TYPE, comment()))
    }

    pub fn text(&self, name: &str) -> Result<&'a str, Failure> {
        let text = Self::typed(name, self.needed(name)?.as_str(), "a string")?;
        if text.is_empty() {
            return Err(Failure::new(status::EMPTY_FIELD, format!("The field `{name}` is empty.")));
        }
        Ok(text)
    }

    /// Reads a new name, which onair must not have to change.
    pub fn new_name(&self, name: &str) -> Result<&'a str, Failure> {
        let text = self.text(name)?;
        if onair_studio::scenes::clean_name(text) == text {
            return Ok(text);
        }
        let comment =
            format!("The field `{name}` must be one line of at most {MAX_NAME} characters.");
        Err(Failure::new(status::INVALID_FIELD, comment))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        self.field(name).map(|value| Self::typed(name, value.as_str(), "a string")).transpose()
    }

    pub fn flag(&self, name: &str) -> Result<bool, Failure> {
        Self::typed(name, self.needed(name)?.as_bool(), "true or false")
    }

    pub fn optional_flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        let flag = |value: &Value| Self::typed(name, value.as_bool(), "true or false");
        self.field(name).map(flag).transpose()
    }

    pub fn object(&self, name: &str) -> Result<&'a Map<String, Value>, Failure> {
        Self::typed(name, self.needed(name)?.as_object(), "an object")
    }

    /// Reads a number within these limits.
    pub fn number(&self, name: &str, (low, high): (f64, f64)) -> Result<f64, Failure> {
        self.needed(name)?;
        let number = self.optional_number(name, (low, high))?;
        Self::typed(name, number, "a number")
    }

    /// Reads a number within these limits, if it is there.
    pub fn optional_number(
        &self,
        name: &str,
        (low, high): (f64, f64),
    ) -> Result<Option<f64>, Failure> {
        let Some(value) = self.field(name) else { return Ok(None) };
        let number = Self::typed(name, value.as_f64(), "a number")?;
        if !(low..=high).contains(&number) {
            let comment = format!("The field `{name}` must be from {low} to {high}.");
            return Err(Failure::new(status::OUT_OF_RANGE, comment));
        }
        Ok(Some(number))
    }

    /// Reads a whole number from 0.
    pub fn index(&self, name: &str) -> Result<u64, Failure> {
        Ok(self.number(name, (0.0, f64::from(u32::MAX)))?.round() as u64)
    }

    /// Executes an edit of the scenes like the window, and then makes the answer. The answer to an
    /// edit that changes nothing is made at once.
    pub fn edit(&self, edit: Edit, finish: Finish) -> CallResult {
        let mut scenes = onair_studio::Collection::clone(&self.studio.scenes.collection);
        match scenes.attempt(&edit) {
            Ok(true) => Ok(Outcome::Commands(vec![Command::Edit(edit)], finish)),
            Ok(false) => finish(self.studio).map(Outcome::Answer),
            Err(why) => {
                let problem = onair_studio::notices::message::StudioMessage::Refused(why).problem();
                Err(Failure::new(status::ACTION_FAILED, Language::English.say(&problem)))
            }
        }
    }

    /// Executes an edit of the scenes; the answer contains no data.
    pub fn edit_only(&self, edit: Edit) -> CallResult {
        self.edit(edit, Box::new(|_| Ok(Value::Null)))
    }
}

/// Sets a field of an object.
pub fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value.into());
    }
}

/// Returns a duration in the form of OBS, such as `01:02:03.456`.
pub fn timecode(duration: std::time::Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{millis:03}", seconds % 60)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use serde_json::json;

    /// Performs one of these requests with these fields.
    pub fn ask(
        requests: &[RequestEntry],
        studio: &Snapshot,
        name: &str,
        data: &Value,
    ) -> CallResult {
        let empty = Map::new();
        let data = data.as_object().unwrap_or(&empty);
        let program = Latest::default();
        let call = Call { data, studio, program: &program, messages: Default::default() };
        requests.iter().find(|(known, _)| *known == name).unwrap().1(&call)
    }

    /// Returns the answer to a request that changes nothing.
    pub fn read(requests: &[RequestEntry], studio: &Snapshot, name: &str, data: &Value) -> Value {
        match ask(requests, studio, name, data) {
            Ok(Outcome::Answer(answer)) => answer,
            Ok(_) => panic!("{name} is more than an answer"),
            Err(why) => panic!("{name}: {why:?}"),
        }
    }

    /// Returns the commands of a request.
    pub fn commands(
        requests: &[RequestEntry],
        studio: &Snapshot,
        name: &str,
        data: &Value,
    ) -> Vec<Command> {
        match ask(requests, studio, name, data) {
            Ok(Outcome::Commands(commands, _)) => commands,
            Ok(_) => panic!("{name} sends no command"),
            Err(why) => panic!("{name}: {why:?}"),
        }
    }

    /// Returns the status of a request that fails.
    pub fn refused(requests: &[RequestEntry], studio: &Snapshot, name: &str, data: &Value) -> u16 {
        match ask(requests, studio, name, data) {
            Ok(_) => panic!("{name} is accepted"),
            Err(why) => why.status,
        }
    }

    #[test]
    fn fields_name_what_is_wrong_with_them() {
        let value = json!({ "name": "", "level": "5", "gain": 27, "on": 1, "none": null });
        let Value::Object(data) = value else { unreachable!("an object") };
        let (studio, program) = (Snapshot::default(), Latest::default());
        let call =
            Call { data: &data, studio: &studio, program: &program, messages: Default::default() };
        let status_of = |failure: Failure| failure.status;
        assert_eq!(call.text("name").map_err(status_of), Err(status::EMPTY_FIELD));
        assert_eq!(call.text("none").map_err(status_of), Err(status::MISSING_FIELD));
        assert_eq!(call.number("level", (0.0, 9.0)).map_err(status_of), Err(401));
        assert_eq!(call.number("gain", (0.0, 26.0)).map_err(status_of), Err(402));
        assert_eq!(call.flag("on").map_err(status_of), Err(401));
        let value = json!({ "plain": "场景 1", "control": "\u{0}", "spaces": " a", "long": "x".repeat(101) });
        let Value::Object(names) = value else { unreachable!("an object") };
        let named = Call { data: &names, ..call };
        assert_eq!(named.new_name("plain"), Ok("场景 1"));
        for wrong in ["control", "spaces", "long"] {
            assert_eq!(named.new_name(wrong).map_err(status_of), Err(status::INVALID_FIELD));
        }
        assert_eq!(call.optional_text("none"), Ok(None));
        assert_eq!(call.index("gain"), Ok(27));
    }

    #[test]
    fn a_timecode_has_hours_and_milliseconds() {
        let duration = std::time::Duration::from_millis(3_723_004);
        assert_eq!(timecode(duration), "01:02:03.004");
    }
}
