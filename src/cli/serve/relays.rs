//! The tables `[[relay]]` of `onair serve --config FILE`, and the flags `--push` and `--pull`:
//! where streams go, and where they come from.

use std::path::PathBuf;

use serde::Deserialize;

use crate::base::Secret;
use crate::base::sanitize::is_harmless;
use crate::cli::live::targets::KeySource;
use crate::cli::serve::values::{Note, valid, within};
use crate::net;
use crate::net::Trust;
use crate::net::rtmp::Options;
use crate::server::relay::{Direction, MAX_RELAY_RULES, MAX_TARGETS, RelayRule, RelayTarget};
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum length of a pattern in bytes.
const MAX_PATTERN_BYTES: usize = 512;
/// The pattern of all streams.
const ALL_STREAMS_PATTERN: &str = "**";

/// The table `[[relay]]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RelayTable {
    push: Option<String>,
    to: Vec<String>,
    pull: Option<String>,
    from: Vec<String>,
    on_demand: bool,
    linger: Option<String>,
    key_file: Option<PathBuf>,
    key_env: Option<String>,
    tls_ca: Option<PathBuf>,
    tls_pin: Option<String>,
}

/// Returns the rules in the tables. `note` gets the path of each invalid value, such as
/// `relay.0.to.1`.
pub(super) fn rules(tables: Vec<RelayTable>, note: Note<'_>) -> Vec<RelayRule> {
    if tables.len() > MAX_RELAY_RULES {
        note("relay", &problem!("relay-too-many", most = MAX_RELAY_RULES));
        return Vec::new();
    }
    let tables = tables.into_iter().enumerate();
    tables.filter_map(|(at, table)| rule(table, &format!("relay.{at}"), note)).collect()
}

/// Returns the rules that the flags `--push` and `--pull` describe.
pub(super) fn of_flags(push: &[RelayTarget], pull: &[RelayTarget]) -> Vec<RelayRule> {
    let rule = |direction, targets: &[RelayTarget]| RelayRule {
        direction,
        streams: ALL_STREAMS_PATTERN.to_owned(),
        on_demand: direction == Direction::Pull,
        targets: targets.to_vec(),
        linger: RelayRule::DEFAULT_LINGER,
        options: Options::default(),
    };
    let mut rules: Vec<_> = push.chunks(1).map(|target| rule(Direction::Push, target)).collect();
    if !pull.is_empty() {
        rules.push(rule(Direction::Pull, pull));
    }
    rules
}

fn rule(table: RelayTable, path: &str, note: Note<'_>) -> Option<RelayRule> {
    let (direction, streams, list, addresses) = match (table.push, table.pull) {
        (Some(streams), None) if table.from.is_empty() => {
            (Direction::Push, streams, "to", table.to)
        }
        (None, Some(streams)) if table.to.is_empty() => {
            (Direction::Pull, streams, "from", table.from)
        }
        _ => {
            note(path, &problem!("relay-push-or-pull"));
            return None;
        }
    };
    let mut is_right = true;
    let mut refuse = |name: &str, why: &Problem| {
        is_right = false;
        note(&format!("{path}.{name}"), why);
    };
    let is_pattern = streams.contains('*');
    if !streams.contains('/') && streams != ALL_STREAMS_PATTERN
        || streams.len() > MAX_PATTERN_BYTES
        || !streams.chars().all(is_harmless)
    {
        refuse(direction.name(), &problem!("relay-streams"));
    }
    if direction == Direction::Pull && is_pattern && !table.on_demand {
        refuse("pull", &problem!("relay-pattern-on-demand"));
    }
    if direction == Direction::Push && table.on_demand {
        refuse("on_demand", &problem!("relay-push-on-demand"));
    }
    let key = match (table.key_file, table.key_env) {
        (Some(_), Some(_)) => {
            refuse("key_env", &problem!("relay-two-keys"));
            None
        }
        (Some(file), None) => Some(("key_file", KeySource::File(file))),
        (None, Some(name)) => Some(("key_env", KeySource::Env(name))),
        (None, None) => None,
    };
    let key = key.map(|(name, source)| {
        source.read().unwrap_or_else(|(why, _)| {
            refuse(name, &why);
            // The rule is refused for this reason alone, not for each address with {key} too.
            Secret::new("")
        })
    });
    if !(1..=MAX_TARGETS).contains(&addresses.len()) {
        refuse(list, &problem!("relay-addresses", most = MAX_TARGETS));
    }
    let mut targets = Vec::new();
    for (at, text) in addresses.iter().enumerate() {
        let parsed = RelayTarget::parse(text, key.as_ref());
        match parsed {
            Ok(target) if is_pattern && target.has_fixed_name() && !target.needs_key() => {
                refuse(&format!("{list}.{at}"), &problem!("relay-one-name"));
            }
            Ok(target) => targets.push(target),
            Err(why) => refuse(&format!("{list}.{at}"), &why),
        }
    }
    let linger = table.linger.as_ref().map(|text| within(text, RelayRule::LINGER_RANGE));
    let linger = valid(linger, "linger", &mut refuse).unwrap_or(RelayRule::DEFAULT_LINGER);
    if let Some(file) = &table.tls_ca
        && let Err(why) = Trust::check_file(file)
    {
        refuse("tls_ca", &why);
    }
    let pin = valid(table.tls_pin.as_ref().map(|pin| pin.parse()), "tls_pin", &mut refuse);
    let trust = Trust { ca_file: table.tls_ca, pin, ..Trust::default() };
    let options =
        Options { net: net::Options { trust, ..net::Options::default() }, ..Options::default() };
    let on_demand = table.on_demand;
    is_right.then_some(RelayRule { direction, streams, on_demand, targets, linger, options })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::serve::args::relay_target;

    fn read(text: &str) -> (Vec<RelayRule>, Vec<String>) {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Document {
            relay: Vec<RelayTable>,
        }
        let mut bad = Vec::new();
        let document: Document = toml::from_str(text).unwrap();
        let mut note = |path: &str, why: &Problem| bad.push(format!("{path}: {why}"));
        let rules = rules(document.relay, &mut note);
        (rules, bad)
    }

    #[test]
    fn tables_become_rules() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        std::fs::write(&key, "s3cret-key\n").unwrap();
        let (rules, bad) = read(&format!(
            "[[relay]]\npush = \"live/*\"\nto = [\"rtmps://a/live/{{stream}}?key={{key}}\"]\n\
             key_file = \"{}\"\n\
             [[relay]]\npull = \"live/**\"\non_demand = true\nlinger = \"5s\"\n\
             from = [\"rtmp://a/{{app}}/{{stream}}\", \"rtmp://b/live\"]\n\
             [[relay]]\npull = \"live/show\"\nfrom = [\"rtmp://a/live/other\"]\n",
            key.display()
        ));
        assert_eq!(bad, Vec::<String>::new());
        let [push, demand, always] = rules.try_into().unwrap();
        assert_eq!(push.targets[0].of("live", "x").stream.expose(), "x?key=s3cret-key");
        assert!(push.applies_to("live", "x") && !push.applies_to("live/x", "y"));
        assert!(demand.on_demand && demand.applies_to("live/x", "y"));
        assert_eq!((demand.linger.as_secs(), demand.targets.len()), (5, 2));
        assert!(always.is_static_pull());
        assert_eq!(always.only_stream(), Some(("live", "show")));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place_and_without_a_key() {
        let key = "key_env = \"ONAIR_NO_SUCH_VARIABLE\"";
        for (table, path) in [
            ("push = \"live/*\"\npull = \"live/*\"", "relay.0"),
            ("push = \"live/*\"\nfrom = [\"rtmp://a/live\"]", "relay.0"),
            ("push = \"live/*\"", "relay.0.to"),
            ("push = \"live\"\nto = [\"rtmp://a/live\"]", "relay.0.push"),
            ("push = \"live/*\"\nto = [\"http://a/live\"]", "relay.0.to.0"),
            ("push = \"live/*\"\nto = [\"rtmp://a/live\", \"rtmp://a/live/x\"]", "relay.0.to.1"),
            ("push = \"live/*\"\nto = [\"rtmp://a/l/{stream}?key=Pl4nted\"]", "relay.0.to.0"),
            ("push = \"live/*\"\nto = [\"rtmp://me:Pl4nted@a/l\"]", "relay.0.to.0"),
            ("push = \"live/*\"\nto = [\"rtmp://a/l/{key}\"]", "relay.0.to.0"),
            ("push = \"live/*\"\non_demand = true\nto = [\"rtmp://a/l\"]", "relay.0.on_demand"),
            ("pull = \"live/*\"\nfrom = [\"rtmp://a/l\"]", "relay.0.pull"),
            ("pull = \"a/b\"\nlinger = \"0s\"\nfrom = [\"rtmp://a/l\"]", "relay.0.linger"),
            ("pull = \"a/b\"\ntls_pin = \"x\"\nfrom = [\"rtmp://a/l\"]", "relay.0.tls_pin"),
            ("pull = \"a/b\"\ntls_ca = \"/no/ca\"\nfrom = [\"rtmp://a/l\"]", "relay.0.tls_ca"),
            ("pull = \"a/b\"\ntls_ca = \"/\"\nfrom = [\"rtmp://a/l\"]", "relay.0.tls_ca"),
            (&format!("pull = \"a/b\"\n{key}\nfrom = [\"rtmp://a/l\"]"), "relay.0.key_env"),
            (
                &format!("push = \"a/*\"\nto = [\"rtmp://a/l/{{stream}}?key={{key}}\"]\n{key}"),
                "relay.0.key_env",
            ),
        ] {
            let (rules, bad) = read(&format!("[[relay]]\n{table}"));
            assert!(rules.is_empty(), "{table}");
            assert!(bad.len() == 1 && bad[0].starts_with(&format!("{path}: ")), "{table}: {bad:?}");
            assert!(!bad[0].contains("Pl4nted"), "{bad:?}");
        }
        let two = format!(
            "[[relay]]\npush = \"a/*\"\nto = [\"rtmp://a/{{key}}\"]\nkey_file = \"x\"\n{key}"
        );
        let (_, bad) = read(&two);
        assert!(bad[0].contains("key_file and key_env are both set"), "{bad:?}");
        let (_, bad) = read(&"[[relay]]\npush = \"a/*\"\n".repeat(MAX_RELAY_RULES + 1));
        assert!(bad[0].starts_with("relay: "), "{bad:?}");
    }

    #[test]
    fn flags_are_for_all_streams() {
        let targets =
            |text: &[&str]| text.iter().map(|it| relay_target(it).unwrap()).collect::<Vec<_>>();
        let push = targets(&["rtmp://a/live", "rtmp://b/{app}/{stream}"]);
        let rules = of_flags(&push, &targets(&["rtmp://c/x", "rtmp://d/x"]));
        let sizes: Vec<_> = rules.iter().map(|it| (it.direction, it.targets.len())).collect();
        let (push, pull) = (Direction::Push, Direction::Pull);
        assert_eq!(sizes, [(push, 1), (push, 1), (pull, 2)]);
        assert!(rules[2].on_demand && rules[2].applies_to("a/b", "c"));
        assert!(relay_target("rtmp://a/live/show").is_err());
    }
}
