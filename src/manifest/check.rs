//! Whether a manifest has the form that the table of keys says: every unknown key and every wrong type, not the first.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{ALSO_CALLED, Key, Shape, VERSION};
use super::mistake::{Fault, Mistake, nearest};

/// Returns what is wrong with the form of `value`.
pub fn check(value: &Spanned<DeValue>, shape: &'static Shape, mistakes: &mut Vec<Mistake>) {
    let span = value.span();
    match (value.get_ref(), shape) {
        (DeValue::String(_), Shape::Text)
        | (DeValue::Boolean(_), Shape::Flag)
        | (DeValue::Integer(_), Shape::Number) => {}
        (DeValue::Array(values), Shape::Texts) => {
            for value in values.iter() {
                check(value, &Shape::Text, mistakes);
            }
        }
        (DeValue::Array(values), Shape::SomeOf(choices)) => {
            for value in values.iter() {
                match value.get_ref() {
                    DeValue::String(found) => check_choice(found, value.span(), choices, mistakes),
                    other => mistakes.push(wrong_type(value.span(), other, &Shape::Text)),
                }
            }
        }
        (DeValue::String(found), Shape::OneOf(choices)) => check_choice(found, span, choices, mistakes),
        (DeValue::Table(table), Shape::Table(keys)) => check_keys(table, keys, mistakes),
        (DeValue::Table(table), Shape::Named(_, shape)) => {
            for (_, value) in table {
                check(value, shape, mistakes);
            }
        }
        (value_ref, Shape::Either(shapes)) => match shapes.iter().find(|shape| is_of(value_ref, shape)) {
            Some(shape) => check(value, shape, mistakes),
            None => mistakes.push(wrong_type(span, value_ref, shape)),
        },
        (value, shape) => mistakes.push(wrong_type(span, value, shape)),
    }
}

/// Says so when `found` is none of `choices`.
fn check_choice(
    found: &str,
    span: Range<usize>,
    choices: &'static [&'static str],
    mistakes: &mut Vec<Mistake>,
) {
    if choices.contains(&found) {
        return;
    }
    let lower = found.to_lowercase();
    let meant = ALSO_CALLED.iter().find(|(other, name)| *other == lower && choices.contains(name));
    let nearest = meant.map(|(_, name)| *name).or_else(|| nearest(found, choices.iter().copied()));
    mistakes.push(Mistake::new(span, Fault::UnknownChoice { nearest, choices }));
}

/// Returns what is wrong with the keys of `table`.
pub fn check_keys(table: &DeTable, keys: &'static [Key], mistakes: &mut Vec<Mistake>) {
    for (name, value) in table {
        match keys.iter().find(|key| key.name == name.get_ref()) {
            Some(key) => check(value, &key.shape, mistakes),
            None => {
                let keys: Vec<&str> = keys.iter().map(|key| key.name).collect();
                let nearest = nearest(name.get_ref(), keys.iter().copied());
                mistakes.push(Mistake::new(name.span(), Fault::UnknownKey { nearest, keys }));
            }
        }
    }
}

/// Returns the mistake of a manifest in a form that this farm does not know.
///
/// It is the only one that is told then: what another version's keys mean nobody knows here.
pub fn version(table: &DeTable) -> Option<Mistake> {
    let version = table.get("version")?;
    let DeValue::Integer(number) = version.get_ref() else { return None };
    let is_known = i64::from_str_radix(number.as_str(), number.radix()) == Ok(VERSION);
    (!is_known).then(|| Mistake::new(version.span(), Fault::Version(number.to_string())))
}

/// Tells whether a value has the type of a shape, whatever is in it.
fn is_of(value: &DeValue, shape: &Shape) -> bool {
    match shape {
        Shape::Text | Shape::OneOf(_) => value.is_str(),
        Shape::Flag => value.is_bool(),
        Shape::Number => value.is_integer(),
        Shape::Texts | Shape::SomeOf(_) => value.is_array(),
        Shape::Table(_) | Shape::Named(..) => value.is_table(),
        Shape::Either(shapes) => shapes.iter().any(|shape| is_of(value, shape)),
    }
}

fn wrong_type(span: Range<usize>, value: &DeValue, expected: &'static Shape) -> Mistake {
    Mistake::new(span, Fault::WrongType { expected, found: value.type_str() })
}
