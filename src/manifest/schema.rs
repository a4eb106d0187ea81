//! The JSON schema of `farm.toml`, so that editors complete it: read off the table of keys.

use serde_json::{Map, Value, json};

use super::keys::{Key, MANIFEST, Shape, VERSION};

/// Returns the schema, in draft 2020-12.
pub fn schema() -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("farm.toml"));
    schema.extend(object(&MANIFEST));
    if let Some(version) = schema.get_mut("properties").and_then(|all| all.get_mut("version")) {
        version["const"] = json!(VERSION);
    }
    Value::Object(schema)
}

fn object(shape: &Shape) -> Map<String, Value> {
    let value = match shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Number => json!({"type": "integer"}),
        Shape::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Shape::OneOf(choices) => json!({"enum": choices}),
        Shape::SomeOf(choices) => json!({"type": "array", "items": {"enum": choices}}),
        Shape::Table(keys) => {
            let properties: Map<String, Value> = keys.iter().map(property).collect();
            json!({"type": "object", "properties": properties, "additionalProperties": false})
        }
        Shape::Named(_, of) => json!({"type": "object", "additionalProperties": object(of)}),
        Shape::Either(shapes) => json!({"anyOf": shapes.iter().map(object).collect::<Vec<_>>()}),
    };
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn property(key: &Key) -> (String, Value) {
    let mut property = object(&key.shape);
    property.insert("description".to_owned(), json!(key.about));
    (key.name.to_owned(), Value::Object(property))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;

    /// Returns values that a schema allows: each choice, and each key of an object by itself.
    fn samples(schema: &Value) -> Vec<String> {
        if let Some(choices) = schema["enum"].as_array() {
            return choices.iter().map(ToString::to_string).collect();
        }
        if let Some(any) = schema["anyOf"].as_array() {
            return any.iter().flat_map(samples).collect();
        }
        if let Some(value) = schema.get("const") {
            return vec![value.to_string()];
        }
        match schema["type"].as_str() {
            Some("string") => vec!["'0600'".to_owned()],
            Some("boolean") => vec!["true".to_owned(), "false".to_owned()],
            Some("integer") => vec!["0o644".to_owned()],
            Some("array") => samples(&schema["items"]).into_iter().map(|item| format!("[{item}]")).collect(),
            Some("object") => {
                let named = &schema["additionalProperties"];
                let named = named.is_object().then(|| ("X".to_owned(), named.clone()));
                let all = schema["properties"].as_object().cloned().unwrap_or_default();
                let pairs = all.into_iter().chain(named);
                pairs
                    .flat_map(|(key, of)| {
                        samples(&of).into_iter().map(move |value| format!("{{{key} = {value}}}"))
                    })
                    .collect()
            }
            other => panic!("a type that is not known: {other:?}"),
        }
    }

    /// Returns what is wrong with the form of a manifest: unknown keys and wrong types.
    fn wrong_form(text: &str) -> Vec<String> {
        let mistakes = Manifest::parse(text).err().unwrap_or_default();
        let faults = mistakes.into_iter().map(|mistake| format!("{:?}", mistake.fault));
        let form = ["UnknownKey", "WrongType", "UnknownChoice", "Syntax", "Version"];
        faults.filter(|fault| form.iter().any(|form| fault.starts_with(form))).collect()
    }

    #[test]
    fn every_value_that_the_schema_allows_is_read() {
        let schema = schema();
        let mut count = 0;
        for (key, of) in schema["properties"].as_object().expect("keys") {
            for value in samples(of) {
                let text = format!("{key} = {value}\n");
                assert_eq!(wrong_form(&text), Vec::<String>::new(), "{text}");
                count += 1;
            }
        }
        assert!(count > 80, "{count}");
    }

    /// Tells whether a schema allows a value.
    fn allows(schema: &Value, value: &toml::de::DeValue) -> bool {
        use toml::de::DeValue;
        if let Some(any) = schema["anyOf"].as_array() {
            return any.iter().any(|schema| allows(schema, value));
        }
        if let Some(choices) = schema["enum"].as_array() {
            return value.as_str().is_some_and(|value| choices.iter().any(|choice| choice == value));
        }
        match (schema["type"].as_str(), value) {
            (Some("string"), DeValue::String(_))
            | (Some("boolean"), DeValue::Boolean(_))
            | (Some("integer"), DeValue::Integer(_)) => true,
            (Some("array"), DeValue::Array(items)) => {
                items.iter().all(|item| allows(&schema["items"], item.get_ref()))
            }
            (Some("object"), DeValue::Table(table)) => table.iter().all(|(key, value)| {
                let of = schema["properties"].get(key.get_ref().as_ref());
                let of = of.unwrap_or(&schema["additionalProperties"]);
                of.is_object() && allows(of, value.get_ref())
            }),
            _ => false,
        }
    }

    #[test]
    fn the_examples_of_the_readme_are_valid() {
        let readme = include_str!("../../README.md");
        let examples: Vec<&str> =
            readme.split("```toml\n").skip(1).filter_map(|it| it.split("```").next()).collect();
        assert!(examples.len() >= 3);
        for example in examples {
            let table = toml::de::DeTable::parse(example).expect("TOML");
            let value = toml::de::DeValue::Table(table.into_inner());
            assert!(allows(&schema(), &value), "{example}");
        }
        let wrong = toml::de::DeTable::parse("defaults.fodl = true").expect("TOML");
        assert!(!allows(&schema(), &toml::de::DeValue::Table(wrong.into_inner())));
    }
}
