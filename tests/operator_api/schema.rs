//! Checks API answers against the API description. Supports the part of JSON Schema that the
//! description uses.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Answer;

/// The schema keywords that this check knows. Any other keyword fails, because it would not be
/// checked.
const KNOWN: [&str; 13] = [
    "type",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "minimum",
    "maximum",
    "format",
    "oneOf",
    "$ref",
    "title",
];

pub struct Description(Value);

impl Description {
    pub fn new(description: Value) -> Self {
        assert_eq!(description["openapi"], "3.1.0");
        Self(description)
    }

    /// Returns all methods with their paths. Those that delete something come last.
    pub fn operations(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (path, methods) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(operation["operationId"].is_string(), "{path}");
                let named: BTreeSet<_> = path
                    .split('{')
                    .skip(1)
                    .map(|part| part.split('}').next().unwrap().to_owned())
                    .collect();
                let documented = operation["parameters"].as_array().cloned().unwrap_or_default();
                let documented = documented.iter().filter(|it| it["in"] == "path");
                let documented: BTreeSet<_> =
                    documented.map(|it| it["name"].as_str().unwrap().to_owned()).collect();
                assert_eq!(named, documented, "{path}: its parameters");
                all.push((method.to_uppercase(), path.clone()));
            }
        }
        // The viewer is deleted before its stream.
        all.sort_by_key(|(method, path)| (method == "DELETE", !path.contains("viewers")));
        all
    }

    /// Fails if the operation does not document this answer.
    #[track_caller]
    pub fn check(&self, method: &str, path: &str, answer: &Answer) {
        let operation = &self.0["paths"][path][method.to_lowercase()];
        let response = &operation["responses"][answer.status.to_string()];
        assert!(response.is_object(), "{method} {path}: {} is not described", answer.head);
        let Some(content) = response["content"].as_object() else {
            assert!(answer.status == 400 || answer.body.is_empty(), "{method} {path}: a body");
            return;
        };
        let kind = answer.field("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let Some(media) = content.get(kind) else {
            panic!("{method} {path}: {kind} is not described");
        };
        if kind == "application/json" {
            let faults = self.faults(&media["schema"], &answer.json(), "");
            assert!(faults.is_empty(), "{method} {path} {}: {faults:#?}", answer.status);
        }
    }

    /// Returns the ways in which a value differs from its schema.
    fn faults(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        for word in schema.as_object().expect("a schema").keys() {
            assert!(KNOWN.contains(&word.as_str()), "{at}: {word} is not checked");
        }
        if let Some(name) = schema["$ref"].as_str() {
            let schema = self.0.pointer(name.trim_start_matches('#')).expect(name);
            return self.faults(schema, value, at);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let fits = choices.iter().filter(|it| self.faults(it, value, at).is_empty()).count();
            let inner = choices.iter().flat_map(|it| self.faults(it, value, at));
            return if fits == 1 { Vec::new() } else { inner.collect() };
        }
        let mut faults = Vec::new();
        let types: Vec<_> = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        if !types.iter().any(|kind| is_of(kind, value)) {
            faults.push(format!("{at}: {value} is none of {types:?}"));
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            faults.push(format!("{at}: {value} is none of {allowed:?}"));
        }
        if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
            && number < least
        {
            faults.push(format!("{at}: {number} is less than {least}"));
        }
        if let Some(items) = value.as_array() {
            for (index, item) in items.iter().enumerate() {
                faults.extend(self.faults(&schema["items"], item, &format!("{at}[{index}]")));
            }
        }
        if let Some(fields) = value.as_object() {
            let required = schema["required"].as_array().into_iter().flatten();
            let missing = required.filter_map(Value::as_str).filter(|it| !fields.contains_key(*it));
            faults.extend(missing.map(|name| format!("{at}.{name} is missing")));
            for (name, field) in fields {
                let inner = &schema["properties"][name];
                if inner.is_object() {
                    faults.extend(self.faults(inner, field, &format!("{at}.{name}")));
                } else if schema["additionalProperties"] == false {
                    faults.push(format!("{at}.{name} is not described"));
                }
            }
        }
        faults
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    }
}
