//! The controls of the window as a screen reader finds them. A test learns where to click and which
//! control has the keyboard focus.

use std::io::Write as _;
use std::path::Path;
use std::process::ChildStdin;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::peers::desktop::Desktop;
use crate::peers::{LIMIT, Peer};

/// The first window of a machine reads its programs and fonts from the disk, while other tests run.
const WINDOW_LIMIT: Duration = LIMIT.saturating_mul(2);

/// A widget in the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widget {
    pub role: String,
    pub name: String,
    states: Vec<String>,
    /// Left, top, width and height.
    place: [i64; 4],
}

impl Widget {
    pub fn is(&self, state: &str) -> bool {
        self.states.iter().any(|it| it == state)
    }

    /// Returns the height of the widget.
    pub fn height(&self) -> i64 {
        self.place[3]
    }

    /// Returns the center of the widget.
    pub fn middle(&self) -> (i64, i64) {
        let [x, y, width, height] = self.place;
        (x + width / 2, y + height / 2)
    }

    fn of(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let states = value["states"].as_array().unwrap().iter();
        let place = [0, 1, 2, 3].map(|at| value["place"][at].as_i64().unwrap());
        let states = states.map(|it| it.as_str().unwrap_or_default().to_owned()).collect();
        Self { role: text("role"), name: text("name"), states, place }
    }
}

/// A helper program that answers questions about the widgets.
pub struct Widgets {
    rig: Peer,
    questions: ChildStdin,
    answers: usize,
}

impl Widgets {
    /// Starts the helper for the only window of onair on this desktop.
    pub fn start(desktop: &Desktop) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rigs/widgets.py");
        let mut command = desktop.command("/usr/bin/python3");
        let (rig, questions) = Peer::start_with_input(command.arg(script).arg("onair"));
        Self { rig, questions, answers: 0 }
    }

    /// Returns all widgets with this role whose names begin like this. An empty role or name
    /// matches all.
    pub fn all(&mut self, role: &str, name: &str) -> Vec<Widget> {
        let role = Some(role).filter(|it| !it.is_empty());
        writeln!(self.questions, "{}", json!({"role": role, "name": name})).unwrap();
        let answers = self.answers;
        // A long answer arrives in parts: only a whole line counts.
        let lines = |rig: &Peer| rig.output().matches('\n').count();
        self.rig.wait_until("an answer", WINDOW_LIMIT, |rig| lines(rig) > answers);
        self.answers += 1;
        let output = self.rig.output();
        let answer: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
        answer.as_array().unwrap().iter().map(Widget::of).collect()
    }

    /// Describes all widgets of the window, for the message of a test that fails.
    pub fn described(&mut self) -> String {
        let line = |it: &Widget| {
            let Widget { role, name, states, place } = it;
            format!("{role} '{name}' {states:?} {place:?}\n")
        };
        self.all("", "").iter().map(line).collect()
    }

    /// Waits for a widget for which `holds` returns true.
    pub fn wait(&mut self, role: &str, name: &str, holds: impl Fn(&Widget) -> bool) -> Widget {
        let found = |all: &[Widget]| all.iter().find(|it| holds(it)).cloned();
        self.wait_all(role, name, found)
    }

    /// Waits up to `limit` for a widget, and returns whether it has appeared.
    pub fn appears(&mut self, role: &str, name: &str, limit: Duration) -> bool {
        let begun = Instant::now();
        loop {
            if !self.all(role, name).is_empty() {
                return true;
            }
            if begun.elapsed() > limit {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until `find` returns a result for all matching widgets.
    pub fn wait_all<T>(
        &mut self,
        role: &str,
        name: &str,
        find: impl Fn(&[Widget]) -> Option<T>,
    ) -> T {
        let begun = Instant::now();
        loop {
            let all = self.all(role, name);
            if let Some(found) = find(&all) {
                return found;
            }
            if begun.elapsed() > WINDOW_LIMIT {
                let window = self.described();
                panic!("no {role} '{name}' as it is waited for: {all:#?} in:\n{window}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until no widget matches.
    pub fn wait_gone(&mut self, role: &str, name: &str) {
        self.wait_all(role, name, |all| all.is_empty().then_some(()));
    }
}
