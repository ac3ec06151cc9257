//! `onair plugins`: lists the audio plugins of this computer. Each file is loaded in a process of its own.

use serde_json::{Value, json};

use crate::base::Clock;
use crate::cli::flags::Globals;
use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::mix::plugin::{self, PluginId};
use crate::text::Problem;
use crate::text::problem::problem;

/// Runs the command.
pub fn run(globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    let files = plugin::files();
    let mut list = Vec::new();
    if !output.is_json() {
        output.line(&output.say(&problem!("out-plugins")));
        if files.is_empty() {
            output.line(&format!("  {}", output.say(&problem!("out-plugin-none"))));
        }
    }
    for file in files {
        let path = file.display().to_string();
        let plugins = match plugin::scan(&file) {
            Ok(plugins) => plugins,
            Err(trouble) => {
                let why = output.language().say_with_cure(&Problem::from(&trouble));
                list.push(json!({ "file": path, "reason": why }));
                if !output.is_json() {
                    let none = output.say(&problem!("out-none", reason = why));
                    output.line(&format!("  {path}: {none}"));
                }
                continue;
            }
        };
        for found in plugins {
            let name = PluginId { file: file.clone(), id: found.id.clone() }.to_string();
            if !output.is_json() {
                let words = [&found.name, &found.version, &found.vendor];
                let words: Vec<&str> =
                    words.into_iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
                let remark = match found.is_effect {
                    true => String::new(),
                    false => format!(", {}", output.say(&problem!("out-plugin-no-effect"))),
                };
                output.line(&format!("  {}  ({name}){remark}", words.join(" ")));
            }
            list.push(json!({
                "plugin": name,
                "file": path,
                "id": found.id,
                "name": found.name,
                "vendor": found.vendor,
                "version": found.version,
                "effect": found.is_effect,
            }));
        }
    }
    if output.is_json() {
        output.object(Value::from_iter([("plugins", Value::Array(list))]));
    }
    Exit::Ok
}
