//! Typed values and rows. A row belongs to a descriptor and holds one value for each of its fields, in their order.

use crate::{Descriptor, Type};

/// A value of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    #[default]
    Null,
    Flag(bool),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    /// Kept as a JSON array of strings where the database has no lists.
    List(Vec<String>),
}

/// The values of a descriptor's key fields, in their order.
pub type Key = Vec<Value>;

impl Value {
    /// What a field of that type holds when nothing was ever stored in it.
    pub fn empty(ty: Type) -> Self {
        match ty {
            Type::Int => Self::Null,
            Type::Flag => Self::Flag(false),
            Type::Text => Self::Text(String::new()),
            Type::Bytes => Self::Bytes(Vec::new()),
            Type::List => Self::List(Vec::new()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

/// Numbers above `i64::MAX` are kept as that: no quota or counter reaches it.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<String>> for Value {
    fn from(list: Vec<String>) -> Self {
        Self::List(list)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row of the table that its descriptor describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    descriptor: &'static Descriptor,
    values: Vec<Value>,
}

impl Row {
    /// A row whose fields are all empty.
    pub fn new(descriptor: &'static Descriptor) -> Self {
        Self {
            descriptor,
            values: descriptor
                .fields
                .iter()
                .map(|field| Value::empty(field.ty))
                .collect(),
        }
    }

    pub fn descriptor(&self) -> &'static Descriptor {
        self.descriptor
    }

    /// Sets a field. A field that the descriptor does not have is a fault of the program and changes nothing.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.set(field, value);
        self
    }

    pub fn set(&mut self, field: &str, value: impl Into<Value>) {
        let place = self
            .descriptor
            .position(field)
            .and_then(|at| self.values.get_mut(at));
        debug_assert!(place.is_some(), "{} has no field {field}", self.descriptor.table);
        if let Some(place) = place {
            *place = value.into();
        }
    }

    pub fn value(&self, field: &str) -> &Value {
        const NULL: &Value = &Value::Null;
        self.descriptor
            .position(field)
            .and_then(|at| self.values.get(at))
            .unwrap_or(NULL)
    }

    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The values of the key fields.
    pub fn key(&self) -> Key {
        self.descriptor
            .key
            .iter()
            .map(|field| self.value(field).clone())
            .collect()
    }

    pub fn text(&self, field: &str) -> &str {
        match self.value(field) {
            Value::Text(text) => text,
            _ => "",
        }
    }

    pub fn int(&self, field: &str) -> Option<i64> {
        match self.value(field) {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// A number that is never negative; `None` if it was never set.
    pub fn count(&self, field: &str) -> Option<u64> {
        self.int(field).map(|number| u64::try_from(number).unwrap_or(0))
    }

    pub fn flag(&self, field: &str) -> bool {
        matches!(self.value(field), Value::Flag(true))
    }

    pub fn bytes(&self, field: &str) -> &[u8] {
        match self.value(field) {
            Value::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    pub fn list(&self, field: &str) -> &[String] {
        match self.value(field) {
            Value::List(list) => list,
            _ => &[],
        }
    }

    /// The revision, 0 for a table without one.
    pub fn revision(&self) -> u64 {
        if self.descriptor.revisioned() {
            self.count(crate::descriptor::REVISION).unwrap_or(0)
        } else {
            0
        }
    }

    /// What a substring filter looks at: the searchable fields in lower case, a line each.
    pub fn search_text(&self) -> String {
        let mut text = String::new();
        for field in self.descriptor.searchable {
            if !text.is_empty() {
                text.push('\n');
            }
            match self.value(field) {
                Value::Text(part) => text.push_str(&part.to_lowercase()),
                Value::List(parts) => text.push_str(&parts.join(" ").to_lowercase()),
                _ => {}
            }
        }
        text
    }
}
