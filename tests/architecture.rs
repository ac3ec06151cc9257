//! Checks the structure of the source code. The test reads every file of `src/` and `crates/`. (The
//! compiler enforces the floors between crates.) The test fails where a room imports from a higher floor
//! of its crate or from another room on its floor, where files import each
//! other in a circle, where a room uses a word that is banned there, where egui's lock would be taken
//! twice, and where a file is too long.
//! Inside `player/`, `studio/` and `server/`, imports also follow an order. ARCHITECTURE.md gives the reasons.
//!
//! Long because each rule stands beside the breach that shows that it works.
//!
//! Test code (`#[cfg(test)]`) may read clocks, start threads and open sockets. The import rules
//! hold for it too. The second half of this file plants a breach of each kind and checks that the
//! test finds it.

#![allow(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    reason = "a test: a panic is how it fails"
)]

#[path = "architecture/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

/// The floors, lowest first. A room imports from strictly lower floors and from itself.
const FLOORS: &[&[&str]] = &[
    &["platform", "text", "base"],
    &["media"],
    &["wire"],
    &["problems"],
    &["capture", "compose", "audio", "mix", "encode", "decode", "files", "net"],
    &["broadcast", "player", "server"],
    &["studio"],
    &["ui", "remote"],
    &["app", "cli", "main"],
];

/// The floors inside rooms, lowest first. An entry of the room imports only from entries before it.
/// The room's `mod.rs` only declares and re-exports, so no entry imports from it.
const INNER_FLOORS: &[(&str, &[&str])] = &[
    (
        "player",
        &[
            "state", "clock", "chat", "buffer", "session", "demux", "decode", "present", "input",
            "handle", "source", "probe",
        ],
    ),
    (
        "studio",
        &[
            "scenes",
            "notices",
            "targets",
            "event",
            "watch",
            "sources",
            "mixer",
            "program",
            "preflight",
            "live",
            "settings",
            "snapshot",
            "command",
            "engine",
        ],
    ),
    (
        "server",
        &[
            "fault",
            "event",
            "access",
            "stream",
            "hls",
            "recordings",
            "renditions",
            "registry",
            "outputs",
            "relay",
            "webrtc",
            "http",
            "rtmp",
            "service",
        ],
    ),
];

/// Files that may import one item from a higher entry of their room: the registry holds the
/// sessions of WebRTC.
const INNER_EXCEPTIONS: &[(&str, &str)] =
    &[("server/registry/mod.rs", "server::webrtc::endpoint::Webrtc")];

/// What rooms on one floor may import from each other: the entry points, and problems.
const ENTRANCES: &[(&str, &str)] = &[
    ("main", "cli"),
    ("main", "app"),
    ("cli", "app"),
    ("base", "text"),
    ("base", "platform"),
    ("text", "platform"),
];

/// Rooms within rooms that must not know each other: bodies are opaque to the protocol, and the
/// container knows nothing of chunks.
const APART: &[(&str, &str)] = &[
    ("wire/rtmp", "wire/container"),
    ("wire/rtmp", "wire/codec"),
    ("wire/container", "wire/rtmp"),
    ("wire/codec", "wire/rtmp"),
    ("wire/codec", "wire/container"),
];

/// Crates that are one room: their `lib.rs` is the room's `mod.rs`.
const CRATES_OF_ONE_ROOM: &[&str] = &["platform", "player", "remote", "server", "studio", "wire"];

/// Crates that only one operating system has, and the crates of its interfaces. They are used only by
/// `platform/` and by `backend/` folders.
const SYSTEM_CRATES: &[&str] = &[
    "io_uring",
    "landlock",
    "libc",
    "libspa_sys",
    "pipewire_sys",
    "pulseaudio",
    "sd_notify",
    "seccompiler",
    "signal_hook",
    "v4l",
    "wayland_backend",
    "wayland_client",
    "wayland_protocols",
    "windows_native_keyring_store",
    "windows_sys",
    "x11rb",
    "zbus",
    "zbus_secret_service_keyring_store",
];

/// Maximum number of lines of a file, unless its head gives a reason.
const LONGEST: usize = 600;

/// Maximum number of entries of a folder.
const MAX_ENTRIES: usize = 15;

/// Names of files and folders that the glossary no longer allows.
const RETIRED: &[&str] = &[
    "ability",
    "aim",
    "carried",
    "census",
    "changer",
    "chronicle",
    "copy",
    "crew",
    "dated",
    "desk",
    "door",
    "film",
    "fitted",
    "glance",
    "gradual",
    "hang_ups",
    "heads",
    "holding",
    "instead",
    "lag",
    "ledger",
    "looks",
    "not_read",
    "not_taken",
    "obey",
    "odd",
    "phones",
    "picture",
    "pictures",
    "place",
    "places",
    "reel",
    "said",
    "seal",
    "sequel",
    "settled",
    "sign",
    "slate",
    "sound",
    "sounding",
    "sounds",
    "stand_by",
    "stand_in",
    "stood",
    "strain",
    "surroundings",
    "take_in",
    "talk",
    "tape",
    "tenths",
    "told",
    "unplayed",
    "vain",
    "veil",
    "whole",
    "wide",
    "wish",
    "wishes",
];

/// Type names that need another noun to be clear, or that the glossary no longer allows.
const BARE: &[&str] = &[
    "Absent",
    "Again",
    "Answer",
    "Armed",
    "Aside",
    "Asked",
    "Before",
    "Begun",
    "Beside",
    "By",
    "Carried",
    "Census",
    "Changer",
    "Chronicle",
    "Course",
    "Crew",
    "Deed",
    "Desk",
    "Door",
    "Due",
    "Elsewhere",
    "Entrance",
    "Excess",
    "Fares",
    "Feed",
    "Film",
    "Fitted",
    "Foot",
    "Found",
    "Gathered",
    "Given",
    "Gradual",
    "HandedOver",
    "HangUps",
    "Head",
    "Heads",
    "Heard",
    "Held",
    "How",
    "Instead",
    "Kept",
    "Lack",
    "Lamp",
    "Ledger",
    "Lent",
    "Line",
    "Look",
    "Looked",
    "Means",
    "Named",
    "Needs",
    "NotPassed",
    "Odd",
    "One",
    "Orders",
    "Own",
    "Past",
    "Patience",
    "Phones",
    "Piece",
    "Place",
    "Reel",
    "Rest",
    "Said",
    "Seen",
    "Sequel",
    "Settled",
    "Shown",
    "Slate",
    "Spare",
    "Stage",
    "StandBy",
    "StandIn",
    "Strain",
    "Strike",
    "Surroundings",
    "Taken",
    "Tape",
    "Then",
    "Tint",
    "Told",
    "Tried",
    "TurnedDown",
    "Unplayed",
    "Until",
    "Uses",
    "Vain",
    "Veil",
    "Wanted",
    "Wanting",
    "Way",
    "What",
    "Where",
    "Which",
    "Whose",
    "Wish",
];

/// Words that no name of a function, constant or static may contain (docs/glossary.md).
const BANNED: &[&str] = &[
    "census",
    "changer",
    "chronicle",
    "crew",
    "desk",
    "door",
    "fares",
    "film",
    "glance",
    "knock",
    "ledger",
    "obey",
    "obeyed",
    "phones",
    "reel",
    "rung",
    "rungs",
    "slate",
    "strain",
    "tape",
    "tenths",
    "unplayed",
    "vain",
    "veil",
];

/// Names that tell a reader nothing, also of a local variable, a field or a test's helper.
const PRIVATE: &[&str] = &[
    "faint", "fares", "heard", "lacks", "obeyed", "owed", "pictured", "reel", "said", "saying",
    "stood", "told", "wish", "wishes",
];

/// Words that no name of a test has, besides [`PRIVATE`].
const NOT_IN_TESTS: &[&str] = &["anew", "stands", "whoever"];

/// Names of constants that do not state what they limit.
const UNBOUNDED: &[&str] = &[
    "AHEAD", "DOUBT", "ENOUGH", "FAREWELL", "LEAST", "LONGEST", "LOOK", "MOST", "PATIENCE",
    "SHORTEST",
];

/// A violation of a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    rule: &'static str,
    place: String,
    what: String,
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn room_of(name: &str) -> &str {
    name.split('/').next().unwrap_or(name).trim_end_matches(".rs")
}

/// Returns all violations in the files, given as name (as if all rooms were in `src/`) and text.
fn breaches(files: &[(String, String)]) -> Vec<Breach> {
    let mut sources = Vec::new();
    let mut found = Vec::new();
    for (name, text) in files {
        match Source::read(name, text) {
            Ok(source) => sources.push(source),
            Err(what) => found.push(Breach { rule: "syntax", place: name.clone(), what }),
        }
    }
    let house = House::new(&sources);
    for source in &sources {
        found.extend(house.floors(source));
        found.extend(house.inner_floors(source));
        found.extend(words(source, house.is_test(source)));
        found.extend(shape(source));
        found.extend(names(source, house.is_test(source)));
    }
    found.extend(house.cycles());
    found.extend(folders(files));
    found.sort();
    found.dedup();
    found
}

/// All files together: resolves paths to files.
struct House<'a> {
    sources: &'a [Source],
    by_module: BTreeMap<Vec<String>, &'a Source>,
    tests: BTreeSet<Vec<String>>,
}

impl<'a> House<'a> {
    fn new(sources: &'a [Source]) -> Self {
        let by_module = sources.iter().map(|source| (source.module(), source)).collect();
        let mut house = Self { sources, by_module, tests: BTreeSet::new() };
        for source in sources {
            for (child, test) in &source.children {
                if *test {
                    let mut module = source.module();
                    module.push(child.clone());
                    house.tests.insert(module);
                }
            }
        }
        house
    }

    /// Whether the whole file, or a module around it, is compiled for tests only.
    fn is_test(&self, source: &Source) -> bool {
        let module = source.module();
        (1..=module.len()).any(|n| self.tests.contains(&module[..n]))
    }

    /// Returns the path from the root of the crate, or `None` if it leads out of the crate.
    fn absolute(&self, source: &Source, path: &source::Path) -> Option<Vec<String>> {
        let mut here = source.module();
        here.extend(path.inside.iter().cloned());
        let mut rest = path.segments.as_slice();
        match rest.first()?.as_str() {
            // The root of a crate that is a room has the names of lower rooms, and its own.
            "crate" => {
                let own = room_of(&source.name);
                let named = rest.get(1)?;
                let child = vec![own.to_owned(), named.clone()];
                let is_inside = floor_of(named).is_none() || self.by_module.contains_key(&child);
                let mut path = rest[1..].to_vec();
                if CRATES_OF_ONE_ROOM.contains(&own) && is_inside {
                    path.insert(0, own.to_owned());
                }
                return Some(path);
            }
            "onair" => return Some(rest[1..].to_vec()),
            other if other.starts_with("onair_") => {
                let name = other.trim_start_matches("onair_");
                let mut path = rest[1..].to_vec();
                if CRATES_OF_ONE_ROOM.contains(&name) {
                    path.insert(0, name.to_owned());
                }
                return Some(path);
            }
            "self" | "super" => {
                while let Some(first) = rest.first() {
                    match first.as_str() {
                        "self" => {}
                        "super" => drop(here.pop()),
                        _ => break,
                    }
                    rest = &rest[1..];
                }
            }
            first => {
                let mut child = here.clone();
                child.push(first.to_owned());
                if !self.by_module.contains_key(&child) {
                    return None;
                }
            }
        }
        here.extend(rest.iter().cloned());
        Some(here)
    }

    /// Returns the file with the item that an absolute path names; re-exports are followed.
    fn file_of(&self, absolute: &[String], depth: usize) -> Option<&'a Source> {
        let (module, source) = (1..=absolute.len())
            .rev()
            .find_map(|n| self.by_module.get_key_value(&absolute[..n]))?;
        let handed_on = absolute
            .get(module.len())
            .and_then(|name| source.paths.iter().find(|path| path.exported.as_ref() == Some(name)));
        if let Some(path) = handed_on
            && depth < 8
            && let Some(mut target) = self.absolute(source, path)
        {
            target.extend(absolute[module.len() + 1..].iter().cloned());
            return self.file_of(&target, depth + 1).or(Some(source));
        }
        Some(source)
    }

    fn floors(&self, source: &Source) -> Vec<Breach> {
        let room = room_of(&source.name);
        if room.starts_with("lib") {
            return Vec::new();
        }
        let mut found = Vec::new();
        let Some(floor) = floor_of(room) else {
            let what = format!("room '{room}' stands on no floor");
            return vec![Breach { rule: "floor", place: source.name.clone(), what }];
        };
        for path in &source.paths {
            let Some(absolute) = self.absolute(source, path) else { continue };
            let Some(to) = absolute.first().map(String::as_str) else { continue };
            let place = format!("{}:{}", source.name, path.line);
            if let Some(its_floor) = floor_of(to)
                && to != room
                && its_floor >= floor
                && !ENTRANCES.contains(&(room, to))
            {
                let way = if its_floor == floor { "sideways" } else { "upward" };
                let what = format!("{way}: {room} (floor {floor}) → {to} (floor {its_floor})");
                found.push(Breach { rule: "floor", place, what });
            } else if let Some((from, to)) = APART.iter().find(|(from, to)| {
                source.name.starts_with(from) && absolute.join("/").starts_with(to)
            }) {
                let what = format!("{from} must not know {to}");
                found.push(Breach { rule: "apart", place, what });
            }
        }
        found
    }

    /// Imports from a higher entry of the same room, test code aside.
    fn inner_floors(&self, source: &Source) -> Vec<Breach> {
        let module = source.module();
        let order = INNER_FLOORS.iter().find(|(room, _)| module.len() > 1 && module[0] == *room);
        let Some((room, order)) = order.filter(|_| !self.is_test(source)) else {
            return Vec::new();
        };
        let rank = |path: &[String]| {
            order.iter().position(|entry| path.get(1).is_some_and(|it| it == entry))
        };
        let own = rank(&module);
        let mut found = Vec::new();
        for path in source.paths.iter().filter(|path| !path.test) {
            let Some(absolute) = self.absolute(source, path) else { continue };
            let inside = absolute.first() == module.first() && absolute.get(1) != module.get(1);
            let named = absolute.join("::");
            let is_excepted =
                INNER_EXCEPTIONS.iter().any(|(from, to)| *from == source.name && *to == named);
            if inside && !is_excepted && rank(&absolute).is_none_or(|to| own <= Some(to)) {
                let place = format!("{}:{}", source.name, path.line);
                let what = format!("upward inside {room}: {named}");
                found.push(Breach { rule: "inner", place, what });
            }
        }
        found
    }

    /// Files that need each other in a circle, test code aside. A parent that only hands on what
    /// its children hold does not need them. A file whose head says "in a circle because" is
    /// excused.
    fn cycles(&self) -> Vec<Breach> {
        let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for source in self.sources {
            if self.is_test(source) || source.head.contains("in a circle because") {
                continue;
            }
            for path in source.paths.iter().filter(|path| !path.test) {
                let Some(absolute) = self.absolute(source, path) else { continue };
                let handed_on = path.exported.is_some() && absolute.starts_with(&source.module());
                if let Some(target) = self.file_of(&absolute, 0)
                    && target.name != source.name
                    && !handed_on
                {
                    needs.entry(&source.name).or_default().insert(&target.name);
                }
            }
        }
        let mut found = BTreeSet::new();
        for start in needs.keys() {
            if let Some(mut circle) = way(&needs, start, start) {
                let first = (0..circle.len()).min_by_key(|&i| circle[i]).unwrap_or(0);
                circle.rotate_left(first);
                found.insert(circle.join(" → "));
            }
        }
        let breach = |what: String| {
            let place = what.split(" → ").next().unwrap_or_default().to_owned();
            Breach { rule: "cycle", place, what }
        };
        found.into_iter().map(breach).collect()
    }
}

/// Returns the shortest path from `start` back to `end`, `start` first.
fn way<'s>(
    needs: &BTreeMap<&'s str, BTreeSet<&'s str>>,
    start: &'s str,
    end: &str,
) -> Option<Vec<&'s str>> {
    let mut ways = std::collections::VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in needs.get(way.last()?).into_iter().flatten() {
            if *next == end {
                return Some(way);
            }
            if seen.insert(*next) {
                let mut longer = way.clone();
                longer.push(next);
                ways.push_back(longer);
            }
        }
    }
    None
}

/// Returns the words that this room must not use.
fn words(source: &Source, test_file: bool) -> Vec<Breach> {
    let name = source.name.as_str();
    let room = room_of(name);
    let floor = floor_of(room).unwrap_or(FLOORS.len());
    // The platform is the backend of everything that is not a media device.
    let in_backend = room == "platform" || name.split('/').any(|part| part == "backend");
    let serde_is_home = name.starts_with("studio/settings")
        || name.starts_with("cli/")
        || name.starts_with("server/http")
        // Tokens and callbacks are JSON of others.
        || name.starts_with("server/access")
        // The DevTools protocol of Chromium consists of JSON.
        || name.starts_with("capture/browser/")
        // The protocol of remote control consists of JSON.
        || name.starts_with("remote/")
        // Messages of the wire that are JSON.
        || name.starts_with("wire/chat/")
        || name.ends_with("/config.rs");
    let mut found = Vec::new();
    let mut add = |rule, line, what: &str| {
        found.push(Breach { rule, place: format!("{name}:{line}"), what: what.to_owned() });
    };
    for word in &source.words {
        let product = !word.test && !test_file;
        let text = word.text.as_str();
        match text {
            "unsafe" if !in_backend => add("unsafe", word.line, text),
            "TcpStream" | "TcpListener" | "TcpSocket" | "UdpSocket" | "socket2"
                if room != "net" && product =>
            {
                add("socket", word.line, text);
            }
            // The way to a service of this machine, such as its sound server.
            "UnixStream" | "UnixListener" if room != "net" && !in_backend && product => {
                add("socket", word.line, text);
            }
            "elapsed" if word.called && floor < 3 && name != "base/time.rs" && product => {
                add("clock", word.line, text);
            }
            "serde" | "serde_json" | "Serialize" | "Deserialize" if !serde_is_home && product => {
                add("serde", word.line, text);
            }
            "unbounded" | "unbounded_channel" if product => add("unbounded", word.line, text),
            _ => {}
        }
    }
    for path in source.paths.iter().filter(|path| !path.test && !test_file) {
        let has = |a: &str, b: &str| path.segments.windows(2).any(|two| two[0] == a && two[1] == b);
        let text = path.segments.join("::");
        if name != "base/worker.rs"
            && ["spawn", "Builder", "scope"].iter().any(|end| has("thread", end))
        {
            add("thread", path.line, &text);
        }
        let of_system = path.segments.starts_with(&["std".to_owned(), "os".to_owned()])
            || path.segments.first().is_some_and(|first| SYSTEM_CRATES.contains(&first.as_str()));
        if of_system && !in_backend {
            add("system", path.line, &text);
        }
        let clocks = ["Instant", "SystemTime", "Zoned", "Utc", "Local"];
        if floor < 3 && name != "base/time.rs" && clocks.iter().any(|clock| has(clock, "now")) {
            add("clock", path.line, &text);
        }
        if has("sync", "mpsc") && path.segments.first().is_some_and(|first| first == "std") {
            add("unbounded", path.line, &text);
        }
    }
    // If another thread requests a repaint in between, both threads wait forever.
    for line in &source.double_locks {
        add("lock", *line, "a closure that holds egui's lock uses the context");
    }
    found
}

/// Checks the length, order and name of a file.
fn shape(source: &Source) -> Vec<Breach> {
    let mut found = Vec::new();
    let name = &source.name;
    if source.lines > LONGEST && !source.head.to_lowercase().contains("long because") {
        let what = format!("{} lines; the head gives no reason (\"long because …\")", source.lines);
        found.push(Breach { rule: "long", place: name.clone(), what });
    }
    if !source.head.contains("//!") {
        let what = "says nothing at its top (//!)".to_owned();
        found.push(Breach { rule: "head", place: name.clone(), what });
    }
    if let Some(line) = source.after_tests {
        let what = "product code below the unit tests".to_owned();
        found.push(Breach { rule: "order", place: format!("{name}:{line}"), what });
    }
    let vague = ["util", "utils", "types", "helper", "helpers", "common", "manager", "misc"];
    if let Some(part) = name.split('/').find(|part| vague.contains(&part.trim_end_matches(".rs"))) {
        let what = format!("'{part}' names no role");
        found.push(Breach { rule: "name", place: name.clone(), what });
    }
    found
}

/// How many entries folders have, and where a module stands in two places.
fn folders(files: &[(String, String)]) -> Vec<Breach> {
    let mut entries: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, _) in files {
        let mut below = name.as_str();
        while let Some((folder, entry)) = below.rsplit_once('/') {
            entries.entry(folder).or_default().insert(entry);
            below = folder;
        }
    }
    let mut found = Vec::new();
    for (folder, inside) in &entries {
        let place = (*folder).to_owned();
        if inside.len() > MAX_ENTRIES {
            let what = format!("{} entries: group them by subject", inside.len());
            found.push(Breach { rule: "folder", place, what });
        } else if files.iter().any(|(name, _)| name.strip_suffix(".rs") == Some(folder)) {
            let what =
                "a file beside the folder of its name: make it the folder's mod.rs".to_owned();
            found.push(Breach { rule: "folder", place, what });
        }
    }
    found
}

/// Checks for names that mean nothing to a reader who knows the field (docs/glossary.md).
fn names(source: &Source, test_file: bool) -> Vec<Breach> {
    let mut found = Vec::new();
    let retired = |part: &&str| RETIRED.contains(&part.trim_end_matches(".rs"));
    if let Some(part) = source.name.split('/').find(retired) {
        let what = format!("'{part}' is retired: docs/glossary.md has the word");
        found.push(Breach { rule: "glossary", place: source.name.clone(), what });
    }
    let bare = |(name, _): &&(String, usize)| BARE.contains(&name.as_str());
    for (name, line) in source.types.iter().filter(bare).filter(|_| !test_file) {
        let place = format!("{}:{line}", source.name);
        let what = format!("the type '{name}' needs the noun that says of what");
        found.push(Breach { rule: "glossary", place, what });
    }
    for word in source.words.iter().filter(|word| PRIVATE.contains(&word.text.as_str())) {
        let place = format!("{}:{}", source.name, word.line);
        let what = format!("'{}' does not say what the value is", word.text);
        found.push(Breach { rule: "glossary", place, what });
    }
    for (name, line) in source.items.iter().filter(|_| !test_file) {
        let lower = name.to_lowercase();
        let banned = lower.split('_').find(|word| BANNED.contains(word));
        let what = match banned {
            Some(word) => format!("'{name}': '{word}' is retired, docs/glossary.md has the word"),
            None if UNBOUNDED.contains(&name.as_str()) => {
                format!("'{name}' does not say what it bounds")
            }
            None => continue,
        };
        found.push(Breach { rule: "glossary", place: format!("{}:{line}", source.name), what });
    }
    found
}

/// Every Rust file below `folder`, by its name relative to it.
fn read_all(folder: &Path, prefix: &str, into: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(folder).expect("src/ can be listed");
    for entry in entries {
        let path = entry.expect("src/ can be listed").path();
        let last = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8");
        let name = if prefix.is_empty() { last.to_owned() } else { format!("{prefix}/{last}") };
        if path.is_dir() {
            read_all(&path, &name, into);
        } else if last.ends_with(".rs") {
            into.push((name, fs::read_to_string(&path).expect("a source can be read")));
        }
    }
}

/// The crates of the workspace, without the program.
fn crates() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let entries = fs::read_dir(folder).expect("crates/ can be listed");
    let named = entries.map(|entry| {
        let path = entry.expect("crates/ can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8");
        (name.trim_start_matches("onair-").to_owned(), path.join("src"))
    });
    named.collect()
}

/// Every Rust file of the program and its crates, named as if all rooms were in `src/`.
fn all_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    for (name, folder) in crates() {
        let is_room = CRATES_OF_ONE_ROOM.contains(&name.as_str());
        let first = files.len();
        read_all(&folder, if is_room { &name } else { "" }, &mut files);
        let root = if is_room { format!("{name}/lib.rs") } else { "lib.rs".to_owned() };
        for (file, _) in &mut files[first..] {
            if *file == root {
                *file = if is_room { format!("{name}/mod.rs") } else { format!("lib_{name}.rs") };
            }
        }
    }
    files
}

#[test]
fn the_house_keeps_its_shape() {
    let files = all_files();
    assert!(files.len() > 20, "src/ was not found");
    let list: Vec<String> = breaches(&files)
        .iter()
        .map(|breach| format!("  {:<9} {}  {}", breach.rule, breach.place, breach.what))
        .collect();
    assert!(list.is_empty(), "{} breaches:\n{}", list.len(), list.join("\n"));
}

#[test]
fn long_files_of_the_tests_give_a_reason() {
    let mut files = Vec::new();
    read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), "", &mut files);
    let sources = files.iter().map(|(name, text)| Source::read(name, text).expect("Rust"));
    let long = sources.flat_map(|source| shape(&source)).filter(|breach| breach.rule == "long");
    assert_eq!(long.collect::<Vec<_>>(), []);
}

#[test]
fn every_room_of_the_library_is_on_a_floor() {
    let mut roots = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")];
    for (name, folder) in crates() {
        match CRATES_OF_ONE_ROOM.contains(&name.as_str()) {
            true => assert!(floor_of(&name).is_some(), "the crate {name} stands on no floor"),
            false => roots.push(folder.join("lib.rs")),
        }
    }
    for lib in roots {
        let text = fs::read_to_string(&lib).expect("lib.rs");
        for (room, _) in &Source::read("lib.rs", &text).expect("Rust").children {
            assert!(floor_of(room).is_some(), "{room} is in {} and on no floor", lib.display());
        }
    }
}

#[test]
fn every_entry_of_a_room_with_inner_floors_is_on_one() {
    for (room, order) in INNER_FLOORS {
        let name = format!("{room}/mod.rs");
        let (_, folder) = crates().into_iter().find(|(name, _)| name == room).expect("a crate");
        let path = folder.join("lib.rs");
        let text = fs::read_to_string(path).expect("the room's mod.rs");
        let source = Source::read(&name, &text).expect("Rust");
        let product = source.children.iter().filter(|(_, test)| !test);
        let entries: BTreeSet<&str> = product.map(|(entry, _)| entry.as_str()).collect();
        assert_eq!(entries, order.iter().copied().collect::<BTreeSet<_>>(), "{room}");
    }
}

/// Returns the rules that these files violate.
fn caught(files: &[(&str, &str)]) -> Vec<&'static str> {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), format!("//! Head.\n{text}")))
        .collect();
    let mut rules: Vec<&str> = breaches(&files).iter().map(|breach| breach.rule).collect();
    rules.dedup();
    rules
}

#[test]
fn a_clean_house_passes() {
    let clean = [
        ("base/mod.rs", "pub mod a; pub use a::A;"),
        (
            "base/a.rs",
            "/// See [`crate::studio::Snapshot`] and `unsafe`.\npub struct A; const T: &str = \"TcpStream\";",
        ),
        ("net/mod.rs", "use tokio::net::TcpStream; use crate::base::A; fn f() { Instant::now(); }"),
        ("studio/settings/mod.rs", "use serde::Serialize; use crate::{base::A, net};"),
        ("main.rs", "fn main() { onair::cli::run() }"),
        ("cli/mod.rs", "use crate::app; pub fn run() {}"),
        ("app/mod.rs", "use eframe::egui; use crate::ui::Screen;"),
        ("ui/mod.rs", "pub struct Screen;"),
    ];
    assert_eq!(caught(&clean), Vec::<&str>::new());
}

#[test]
fn reaching_upward_or_sideways_is_caught() {
    let plants = [
        ("media/a.rs", "use crate::wire::amf0::Value;"),
        ("base/a.rs", "fn f() { let _ = crate::media::Size::new(1, 1); }"),
        ("capture/a.rs", "use crate::{base::Clock, encode::{self, video}};"),
        ("player/mod.rs", "use super::server::Server;"),
        ("wire/rtmp/a.rs", "use super::super::super::net;"),
        ("studio/a.rs", "#[cfg(test)] mod tests { use crate::ui::Theme; }"),
        ("app/mod.rs", "use crate::cli::Options;"),
        ("ui/a.rs", "macro_rules! m { () => { $crate::app::run() } }"),
        ("attic/mod.rs", "fn f() {}"),
    ];
    for plant in plants {
        assert_eq!(caught(&[plant]), ["floor"], "{plant:?}");
    }
    for plant in [
        ("wire/rtmp/chunk/mod.rs", "use crate::wire::container::flv::Tag;"),
        ("wire/container/flv/mod.rs", "use crate::wire::rtmp::chunk;"),
        ("wire/codec/mod.rs", "use super::container::Format;"),
    ] {
        assert_eq!(caught(&[plant]), ["apart"], "{plant:?}");
    }
}

#[test]
fn reaching_upward_inside_a_room_is_caught() {
    for plant in [
        ("studio/scenes/mod.rs", "use crate::studio::engine::handle;"),
        ("studio/live/view.rs", "use crate::studio::{Snapshot, targets::Target};"),
        ("player/clock/mod.rs", "fn f() { super::input::open(); }"),
        ("player/attic.rs", "use crate::player::state::State;"),
        ("server/stream/mod.rs", "use crate::server::registry::Registry;"),
        ("server/registry/port.rs", "use crate::server::webrtc::endpoint::Webrtc;"),
    ] {
        assert_eq!(caught(&[plant]), ["inner"], "{plant:?}");
    }
    let fine = [
        ("studio/mod.rs", "pub mod engine; mod scenes; pub use engine::Studio;"),
        ("studio/engine/mod.rs", "use crate::studio::scenes::Edit; pub struct Studio;"),
        ("studio/scenes/mod.rs", "#[cfg(test)] mod tests { use crate::studio::engine::Studio; }"),
    ];
    assert_eq!(caught(&fine), [""; 0]);
}

#[test]
fn folders_with_too_many_entries_or_a_file_of_the_same_name_are_caught() {
    let names: Vec<String> = (0..=MAX_ENTRIES).map(|at| format!("net/a{at}.rs")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(caught(&many[1..]), Vec::<&str>::new());
    assert_eq!(caught(&many), ["folder"]);
    assert_eq!(caught(&[("net/tls.rs", ""), ("net/tls/pin.rs", "")]), ["folder"]);
}

#[test]
fn names_that_the_glossary_retired_are_caught() {
    assert_eq!(caught(&[("player/veil.rs", "")]), ["glossary"]);
    assert_eq!(caught(&[("studio/wish/mod.rs", "")]), ["glossary"]);
    assert_eq!(caught(&[("ui/a.rs", "pub(super) enum Look { A }")]), ["glossary"]);
    assert_eq!(caught(&[("ui/a.rs", "pub(super) async fn open_desk() {}")]), ["glossary"]);
    assert_eq!(caught(&[("ui/a.rs", "pub const MOST: u8 = 4;")]), ["glossary"]);
    assert_eq!(caught(&[("ui/a.rs", "fn a(told: bool) {}")]), ["glossary"]);
    assert_eq!(caught(&[("ui/a.rs", "pub const fn desktop() {} const MAX: u8 = 4;")]), [""; 0]);
    assert_eq!(
        caught(&[("ui/a.rs", "#[cfg(test)] mod tests { struct Look; }")]),
        Vec::<&str>::new()
    );
    assert_eq!(
        caught(&[("ui/a.rs", "struct ButtonLook; fn f(look: Look) {}")]),
        Vec::<&str>::new()
    );
}

/// Returns the names of the tests in a file.
fn test_names(text: &str) -> impl Iterator<Item = &str> {
    let is_test = |line: &str| line.starts_with("#[test]") || line.starts_with("#[tokio::test");
    let mut lines = text.lines().map(str::trim_start);
    std::iter::from_fn(move || {
        lines.find(|line| is_test(line))?;
        lines.find_map(|line| line.split_once("fn ")?.1.split('(').next())
    })
}

#[test]
fn names_of_tests_have_no_word_that_the_glossary_retired() {
    let sample = "#[test]\n#[cfg(unix)]\nfn a_word_is_told() {}\n#[tokio::test]\nasync fn b() {}";
    assert_eq!(test_names(sample).collect::<Vec<_>>(), ["a_word_is_told", "b"]);
    let mut files = all_files();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    read_all(&tests, "tests", &mut files);
    let names =
        files.iter().flat_map(|(file, text)| test_names(text).map(move |name| (file, name)));
    let is_retired = |word: &str| PRIVATE.contains(&word) || NOT_IN_TESTS.contains(&word);
    let found: Vec<_> = names.filter(|(_, name)| name.split('_').any(is_retired)).collect();
    assert!(found.is_empty(), "docs/glossary.md has the words: {found:?}");
}

#[test]
fn circles_are_caught() {
    let pair = [
        ("net/mod.rs", "pub mod a; pub mod b;"),
        ("net/a.rs", "use crate::net::b::B; pub struct A;"),
        ("net/b.rs", "use super::a::A; pub struct B;"),
    ];
    assert_eq!(caught(&pair), ["cycle"]);
    let parent = [
        ("net/mod.rs", "mod a; pub struct Error; pub fn f() { a::g(); }"),
        ("net/a.rs", "use super::Error; pub fn g() {}"),
    ];
    assert_eq!(caught(&parent), ["cycle"]);
    let through_a_re_export = [
        ("net/mod.rs", "mod a; mod b; pub use a::A; pub(crate) use b::B;"),
        ("net/a.rs", "use crate::net::B; pub struct A;"),
        ("net/b.rs", "use crate::net::A; pub struct B;"),
    ];
    assert_eq!(caught(&through_a_re_export), ["cycle"]);
    let three = [
        ("net/a.rs", "use super::b::B;"),
        ("net/b.rs", "use super::c::C;"),
        ("net/c.rs", "fn f() { super::a::f(); }"),
    ];
    assert_eq!(caught(&three), ["cycle"]);
}

#[test]
fn no_circle_is_seen_where_there_is_none() {
    let handed_on = [
        ("net/mod.rs", "pub mod a; mod b; pub use a::A; pub use b::{B, Other as C};"),
        ("net/a.rs", "use crate::net::{B, C}; pub struct A;"),
        ("net/b.rs", "pub struct B; pub struct Other;"),
    ];
    assert_eq!(caught(&handed_on), Vec::<&str>::new());
    let in_tests_only = [
        ("net/mod.rs", "mod a; mod b;"),
        ("net/a.rs", "use super::b::B;"),
        ("net/b.rs", "#[cfg(test)] mod tests { use crate::net::a::A; }"),
    ];
    assert_eq!(caught(&in_tests_only), Vec::<&str>::new());
    let excused = [
        (
            "net/a.rs",
            "//! This file and b are in a circle because they describe one recursion.\nuse super::b::B;",
        ),
        ("net/b.rs", "use super::a::A;"),
    ];
    assert_eq!(caught(&excused), Vec::<&str>::new());
}

#[test]
fn banned_words_are_caught_in_each_wrong_room() {
    let plants: &[(&str, &str, &str)] = &[
        ("socket", "server/a.rs", "use std::net::{IpAddr, TcpListener};"),
        ("socket", "broadcast/a.rs", "fn f() { tokio::net::TcpStream::connect(a); }"),
        ("socket", "studio/a.rs", "fn f(s: &UdpSocket) {}"),
        ("thread", "capture/a.rs", "fn f() { std::thread::spawn(|| {}); }"),
        ("thread", "base/queue.rs", "use std::thread::Builder;"),
        ("thread", "ui/a.rs", "use std::{thread::{self, spawn}};"),
        ("clock", "wire/a.rs", "fn f() { let _ = Instant::now(); }"),
        ("clock", "media/a.rs", "fn f() { std::time::SystemTime::now(); }"),
        ("clock", "base/queue.rs", "fn f(i: I) { i.elapsed(); }"),
        ("clock", "base/pool.rs", "fn f() -> fn() -> Instant { Instant::now }"),
        ("unsafe", "encode/video.rs", "fn f() { unsafe { g() } }"),
        ("system", "studio/a.rs", "use std::os::unix::fs::PermissionsExt as _;"),
        ("system", "base/a.rs", "fn f() -> i32 { libc::EIO }"),
        ("system", "app/a.rs", "use zbus::Connection;"),
        ("unsafe", "base/a.rs", "unsafe impl Send for A {}"),
        ("unsafe", "mix/a.rs", "#[cfg(test)] mod tests { fn f() { unsafe { g() } } }"),
        ("serde", "media/a.rs", "#[derive(Debug, Serialize)] struct A;"),
        ("serde", "player/a.rs", "use serde::Deserialize;"),
        ("serde", "server/figures.rs", "fn f() { serde_json::to_string(&a); }"),
        ("unbounded", "net/a.rs", "fn f() { crossbeam_channel::unbounded(); }"),
        ("unbounded", "net/a.rs", "use tokio::sync::mpsc::{self, unbounded_channel};"),
        ("unbounded", "studio/a.rs", "use std::sync::mpsc;"),
        ("unbounded", "studio/a.rs", "fn f() { std::sync::mpsc::channel(); }"),
        ("lock", "ui/a.rs", "fn f() { ctx.data(|data| data.get_temp(A::id(ctx))); }"),
        ("lock", "app/a.rs", "fn f() { ui.input_mut(|input| { g(ui.ctx().time()) }); }"),
        ("lock", "ui/a.rs", "fn f() { ui.input(|input| ui.memory(|it| it.focused())); }"),
        ("lock", "ui/a.rs", "fn f() { ui.memory(|_| { g(response.has_focus()) }); }"),
        ("lock", "ui/a.rs", "fn f() { ui.output_mut(|output| g(ui.ctx())); }"),
        ("lock", "ui/a.rs", "fn f() { a.viewport(|it| response.clicked_by(button)); }"),
        ("lock", "ui/a.rs", "fn f() { ui.input(|it| response.drag_started_by(button)); }"),
        ("lock", "ui/a.rs", "fn f() { ui.input(|it| response.drag_stopped_by(button)); }"),
        ("lock", "ui/a.rs", "fn f() { ui.input(|it| response.triple_clicked_by(button)); }"),
        ("lock", "ui/a.rs", "fn f() { ui.input(|it| response.drag_motion()); }"),
        ("lock", "ui/a.rs", "fn f() { ui.input(|it| ui.rect_contains_pointer(rect)); }"),
        ("lock", "ui/a.rs", "fn f() { ui.input(|it| ui.ui_contains_pointer()); }"),
    ];
    for (rule, name, text) in plants {
        let found = caught(&[(name, text)]);
        assert!(found.contains(rule), "{name}: {text}: {found:?}");
        assert_eq!(found.len(), 1, "{name}: {text}: {found:?}");
    }
}

#[test]
fn the_same_words_pass_where_they_belong() {
    let fine = [
        ("encode/backend/openh264.rs", "fn f() { unsafe { g() } }"),
        ("platform/linux/a.rs", "use std::os::fd::OwnedFd; fn f() { unsafe { libc::sync() } }"),
        ("app/backend/bus.rs", "use zbus::Connection;"),
        ("ui/a.rs", "#[cfg(test)] mod tests { use std::os::unix::fs::symlink; }"),
        ("base/worker.rs", "fn f() { thread::Builder::new(); }"),
        ("base/time.rs", "fn f() { Instant::now(); i.elapsed(); }"),
        ("capture/a.rs", "fn f() { Instant::now(); thread::sleep(d); thread::current(); }"),
        ("server/http.rs", "use serde::Serialize;"),
        ("encode/config.rs", "#[derive(serde::Deserialize)] struct Config;"),
        ("base/queue.rs", "fn f() { crossbeam_channel::bounded(1); self.elapsed; }"),
        ("net/a.rs", "use tokio::sync::mpsc; fn f() { mpsc::channel(4); }"),
        (
            "wire/b.rs",
            "fn f() {}\n#[cfg(test)]\nmod tests { fn f() { Instant::now(); std::thread::spawn(g); } }",
        ),
        (
            "studio/a.rs",
            "fn f() {}\n#[test]\nfn t() { serde_json::from_str(a); TcpStream::connect(b); }",
        ),
        ("ui/a.rs", "fn f() { let id = A::id(ctx); ctx.data(|data| data.get_temp(id)); }"),
        (
            "ui/b.rs",
            "fn input(ctx: &Context) { self.input(ctx); ui.memory(|it| it.has_focus(id)); }",
        ),
        ("ui/c.rs", "fn f() { ui.input(|it| it.viewport().close_requested()); }"),
        ("server/mod.rs", "#[cfg(test)] mod suite;"),
        ("server/suite.rs", "use std::net::TcpStream; fn f() { std::thread::spawn(g); }"),
        ("player/all.rs", "#![cfg(test)] use std::net::TcpStream;"),
    ];
    assert_eq!(caught(&fine), Vec::<&str>::new());
}

#[test]
fn shape_is_checked() {
    let long = "fn f() {}\n".repeat(LONGEST);
    assert_eq!(caught(&[("mix/a.rs", &long)]), ["long"]);
    let excused = format!("//! It is long because it lists every message.\n{long}");
    assert_eq!(caught(&[("mix/a.rs", &excused)]), Vec::<&str>::new());
    let order = "#[cfg(test)] mod tests { fn t() {} }\nfn below() {}";
    assert_eq!(caught(&[("mix/a.rs", order)]), ["order"]);
    assert_eq!(caught(&[("mix/utils.rs", "fn f() {}")]), ["name"]);
    assert_eq!(caught(&[("mix/a.rs", "fn f( {")]), ["syntax"]);
    let bare = breaches(&[("mix/a.rs".to_owned(), "fn f() {}".to_owned())]);
    assert_eq!(bare.len(), 1);
    assert_eq!(bare[0].rule, "head");
}
