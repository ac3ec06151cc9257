//! The table of all requests, which `GetVersion` lists.

use serde_json::json;

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::protocol::{OBS_VERSION, PROTOCOL_VERSION, RPC_VERSION, status};
use crate::requests::{
    audio, config, filters, general, hotkeys, inputs, items, media, outputs, scenes, screenshot,
    transitions, vendor,
};

/// The request that lists all others.
const VERSION: &[RequestEntry] = &[("GetVersion", version)];

/// The requests by subject.
const SUBJECTS: [&[RequestEntry]; 14] = [
    VERSION,
    general::REQUESTS,
    config::REQUESTS,
    scenes::REQUESTS,
    items::REQUESTS,
    inputs::REQUESTS,
    audio::REQUESTS,
    media::REQUESTS,
    filters::REQUESTS,
    transitions::REQUESTS,
    outputs::REQUESTS,
    screenshot::REQUESTS,
    hotkeys::REQUESTS,
    vendor::REQUESTS,
];

/// Returns the names of all supported requests.
pub fn names() -> impl Iterator<Item = &'static str> {
    SUBJECTS.iter().flat_map(|entries| entries.iter().map(|(name, _)| *name))
}

fn version(_: &Call<'_>) -> CallResult {
    let requests: Vec<&str> = names().collect();
    Ok(Outcome::Answer(json!({
        "obsVersion": OBS_VERSION,
        "obsWebSocketVersion": PROTOCOL_VERSION,
        "rpcVersion": RPC_VERSION,
        "availableRequests": requests,
        "supportedImageFormats": ["jpeg", "jpg", "png"],
        "platform": std::env::consts::OS,
        "platformDescription": concat!("onair ", env!("CARGO_PKG_VERSION")),
    })))
}

/// Performs the request with this name.
pub(crate) fn perform(name: &str, call: &Call<'_>) -> CallResult {
    let mut all = SUBJECTS.iter().flat_map(|entries| entries.iter());
    match all.find(|(known, _)| *known == name) {
        Some((_, perform)) => perform(call),
        None => {
            let comment = format!("onair does not support the request `{name}`.");
            Err(Failure::new(status::UNKNOWN_TYPE, comment))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::base::Latest;
    use onair_studio::Snapshot;

    fn ask(name: &str, data: &Value) -> CallResult {
        let (studio, program, empty) =
            (Snapshot::default(), Latest::default(), serde_json::Map::new());
        let data = data.as_object().unwrap_or(&empty);
        let call = Call { data, studio: &studio, program: &program, messages: Default::default() };
        perform(name, &call)
    }

    #[test]
    fn the_version_lists_the_requests_that_work() {
        let Ok(Outcome::Answer(version)) = ask("GetVersion", &Value::Null) else { panic!() };
        let list = version["availableRequests"].as_array().unwrap();
        assert!(list.contains(&json!("GetSceneList")) && list.contains(&json!("GetVersion")));
        assert!(!list.contains(&json!("PressInputPropertiesButton")));
    }

    /// The page of the guide that lists all requests and events.
    const GUIDE: &str = include_str!("../../../../docs/reference/obs-websocket.md");

    /// Returns the names in the section of the guide with this heading.
    fn listed(heading: &str) -> Vec<&'static str> {
        let (_, section) = GUIDE.split_once(heading).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| "));
        rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect()
    }

    #[test]
    fn the_guide_lists_every_request_and_no_other() {
        assert_eq!(listed("\n## Requests\n"), names().collect::<Vec<_>>());
    }

    #[test]
    fn the_guide_lists_only_events_that_the_code_sends() {
        let code = [
            include_str!("../events/changes.rs"),
            include_str!("../events/scenes.rs"),
            include_str!("../events/inputs.rs"),
            include_str!("../events/outputs.rs"),
            include_str!("../server/client.rs"),
            include_str!("../server/execute.rs"),
        ];
        let events = listed("\n## Events\n");
        assert!(events.len() > 40, "{events:?}");
        for name in events {
            let quoted = format!("\"{name}\"");
            assert!(code.iter().any(|code| code.contains(&quoted)), "{name}");
        }
    }

    #[test]
    fn every_request_has_one_name() {
        let mut all: Vec<_> = names().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn requests_without_fields_fail_or_answer_but_never_panic() {
        for name in names() {
            let odd = serde_json::json!({
                "sceneName": 7, "inputName": [], "sceneItemId": -1e300, "sourceName": {},
                "sleepMillis": "x", "inputVolumeDb": null, "inputVolumeMul": 1e308,
            });
            for data in [Value::Null, odd] {
                let _ = ask(name, &data);
            }
        }
        let unknown = ask("MakeCoffee", &Value::Null).err().map(|why| why.status);
        assert_eq!(unknown, Some(status::UNKNOWN_TYPE));
    }
}
