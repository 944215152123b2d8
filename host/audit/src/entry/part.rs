//! Parts of an action that may be long.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use vak_types::{AttributeValue, Digest, Label};

use crate::codec::{DecodeError, EncodeError, Reader, Writer};
use crate::payload::{Commitment, PAYLOAD_BYTES_MAX, Payload, Payloads};

/// The longest part that is written out, in bytes: 16 KiB. Arguments,
/// attributes and labels at this length leave 14 KiB of an entry for the
/// verdict.
pub const PART_BYTES_MAX: usize = 16 * 1024;

const WRITTEN_OUT: u8 = 1;
const COMMITTED: u8 = 2;

/// The contents of something that is not written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    /// The SHA-256 of its bytes.
    pub sha256: Digest,
    /// How many bytes there are.
    pub bytes: u64,
}

impl Contents {
    /// Describes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { sha256: Digest::of(bytes), bytes: bytes.len() as u64 }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.digest(&self.sha256);
        writer.u64(self.bytes);
    }

    pub(crate) fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, DecodeError> {
        Ok(Self { sha256: reader.digest(what)?, bytes: reader.u64(what)? })
    }
}

/// Arguments, attributes or labels of an action: written out, or named by the
/// salted commitment to a [`Payload`] that is kept beside the log. Either way
/// the entry covers every byte of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T>(Form<T>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form<T> {
    WrittenOut(T),
    Committed(Commitment),
}

impl<T> Part<T> {
    /// The value, where it is written out.
    pub fn value(&self) -> Option<&T> {
        match &self.0 {
            Form::WrittenOut(value) => Some(value),
            Form::Committed(_) => None,
        }
    }

    /// What is known of the value where it is not written out.
    pub fn commitment(&self) -> Option<&Commitment> {
        match &self.0 {
            Form::WrittenOut(_) => None,
            Form::Committed(commitment) => Some(commitment),
        }
    }
}

/// The value as it is written, where it is written out.
pub(crate) fn written<T: Encoding>(part: &Part<T>) -> Option<Vec<u8>> {
    let mut writer = Writer::default();
    T::write(part.value()?.borrow(), &mut writer);
    Some(writer.bytes)
}

pub(crate) fn write<T: Encoding>(writer: &mut Writer, part: &Part<T>) {
    match &part.0 {
        Form::WrittenOut(value) => {
            let field = start(writer);
            T::write(value.borrow(), writer);
            // A value that is written out was so when it was read or made.
            let length = u32::try_from(writer.bytes.len() - field - 4).unwrap_or(u32::MAX);
            writer.bytes[field..field + 4].copy_from_slice(&length.to_be_bytes());
        }
        Form::Committed(commitment) => write_commitment(writer, commitment),
    }
}

pub(crate) fn read<T: Encoding>(reader: &mut Reader<'_>, what: &'static str) -> Result<Part<T>, DecodeError> {
    match reader.u8(what)? {
        WRITTEN_OUT => {
            let length = reader.length(what)?;
            if length > PART_BYTES_MAX {
                return Err(DecodeError::Form { what, bytes: length as u64 });
            }
            let mut inner = Reader::new(reader.take(what, length)?);
            let value = T::read(&mut inner)?;
            inner.end()?;
            Ok(Part(Form::WrittenOut(value)))
        }
        COMMITTED => Ok(Part(Form::Committed(Commitment { digest: reader.digest(what)?, bytes: reader.u64(what)? }))),
        tag => Err(reader.bad_tag(what, tag)),
    }
}

/// A value as it stands in a payload.
pub(crate) fn decode<T: Encoding>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = T::read(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Payloads that were taken out of an entry, and which are.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) which: Payloads,
    pub(crate) payloads: Vec<Payload>,
}

/// Writes a part from where its value is borrowed. What does not stay in the
/// entry goes to `kept`.
///
/// # Errors
/// The system gives no salt.
pub(crate) fn write_value<T: Encoding>(
    writer: &mut Writer,
    value: &T::Borrowed,
    kept: &mut Kept,
) -> Result<(), EncodeError> {
    let field = start(writer);
    let body = field + 4;
    T::write(value, writer);
    let length = writer.bytes.len() - body;
    let inline = match kept.which {
        Payloads::Inline => length <= PART_BYTES_MAX,
        // Of nothing there is nothing to erase.
        Payloads::Erasable => length == 0,
    };
    match u32::try_from(length) {
        Ok(short) if inline => writer.bytes[field..body].copy_from_slice(&short.to_be_bytes()),
        _ if length > PAYLOAD_BYTES_MAX => {
            return Err(EncodeError::PayloadTooLarge { bytes: length, bytes_max: PAYLOAD_BYTES_MAX });
        }
        _ => {
            let payload = Payload::new(&writer.bytes[body..]).ok_or(EncodeError::Randomness)?;
            writer.bytes.truncate(field - 1);
            write_commitment(writer, &payload.commitment());
            kept.payloads.push(payload);
        }
    }
    Ok(())
}

/// Begins a part that is written out; gives where its length stands.
fn start(writer: &mut Writer) -> usize {
    writer.u8(WRITTEN_OUT);
    let field = writer.bytes.len();
    writer.length(0);
    field
}

fn write_commitment(writer: &mut Writer, commitment: &Commitment) {
    writer.u8(COMMITTED);
    writer.digest(&commitment.digest);
    writer.u64(commitment.bytes);
}

/// A value that fills a part, with one encoding.
pub(crate) trait Encoding: Sized + Borrow<Self::Borrowed> {
    /// What it is written from.
    type Borrowed: ?Sized;

    fn write(value: &Self::Borrowed, writer: &mut Writer);
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// The text as it is. Whether it is canonical JSON is not checked again when it
/// is read: how numbers are printed may change, and an old log has to stay
/// readable.
impl Encoding for String {
    type Borrowed = str;

    fn write(text: &str, writer: &mut Writer) {
        writer.raw(text.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.rest_as_text("arguments").map(str::to_owned)
    }
}

/// Keys and typed values, in strictly rising order of the keys' bytes.
impl Encoding for BTreeMap<String, AttributeValue> {
    type Borrowed = Self;

    fn write(attributes: &Self, writer: &mut Writer) {
        for (key, value) in attributes {
            writer.text(key);
            write_attribute(writer, value);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut attributes = Self::new();
        while !reader.is_empty() {
            let key = reader.text("attribute key")?;
            if attributes.last_key_value().is_some_and(|(last, _)| last.as_str() >= key) {
                return Err(DecodeError::Unsorted { key: key.to_owned() });
            }
            attributes.insert(key.to_owned(), read_attribute(reader)?);
        }
        Ok(attributes)
    }
}

/// In the order they were given.
impl Encoding for Vec<Label> {
    type Borrowed = [Label];

    fn write(labels: &[Label], writer: &mut Writer) {
        for label in labels {
            writer.text(label.as_str());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut labels = Self::new();
        while !reader.is_empty() {
            labels.push(reader.checked("label")?);
        }
        Ok(labels)
    }
}

fn write_attribute(writer: &mut Writer, value: &AttributeValue) {
    match value {
        AttributeValue::Boolean(value) => {
            writer.u8(1);
            writer.bool(*value);
        }
        AttributeValue::Integer(value) => {
            writer.u8(2);
            writer.raw(&value.to_be_bytes());
        }
        AttributeValue::Text(value) => {
            writer.u8(3);
            writer.text(value);
        }
        AttributeValue::Texts(values) => {
            writer.u8(4);
            writer.list(values, |writer, text| writer.text(text));
        }
    }
}

fn read_attribute(reader: &mut Reader<'_>) -> Result<AttributeValue, DecodeError> {
    let what = "attribute value";
    match reader.u8(what)? {
        1 => reader.bool(what).map(AttributeValue::Boolean),
        2 => reader.i64(what).map(AttributeValue::Integer),
        3 => reader.text(what).map(|text| AttributeValue::Text(text.to_owned())),
        4 => reader.list(what, |reader| reader.text(what).map(str::to_owned)).map(AttributeValue::Texts),
        tag => Err(reader.bad_tag(what, tag)),
    }
}
