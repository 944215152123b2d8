//! Modules and components as what they are on the wire: a list of sections.

/// The section of a component that holds a core module.
pub(crate) const CORE_MODULE: u8 = 1;

/// The section of a core module that holds the bodies of its functions.
pub(crate) const CODE: u8 = 10;

/// The magic and the version of a module or a component.
pub(crate) const PREAMBLE_BYTES: usize = 8;

/// A function's body: no locals, `unreachable`, `end`.
pub(crate) const TRAP: &[u8] = &[0x00, 0x00, 0x0b];

/// The id and the content of each section. `None` for what is no list of
/// sections.
pub(crate) fn sections(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut sections = Vec::new();
    let mut rest = bytes.get(PREAMBLE_BYTES..)?;
    while let Some((id, after)) = rest.split_first() {
        let (length, after) = read_length(after)?;
        let (content, after) = after.split_at_checked(length)?;
        sections.push((*id, content));
        rest = after;
    }
    Some(sections)
}

/// `bytes` with the content of each section replaced for which there is a
/// replacement. `None` for what is no list of sections.
pub(crate) fn replace(bytes: &[u8], mut replacement: impl FnMut(u8, &[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut replaced = bytes.get(..PREAMBLE_BYTES)?.to_vec();
    for (id, content) in sections(bytes)? {
        replaced.push(id);
        write_sized(&mut replaced, replacement(id, content).as_deref().unwrap_or(content))?;
    }
    Some(replaced)
}

/// A number in LEB128, as everything in WebAssembly is measured.
pub(crate) fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut reader = wasmparser::BinaryReader::new(bytes, 0);
    let length = reader.read_var_u32().ok()?;
    Some((usize::try_from(length).ok()?, bytes.get(reader.original_position()..)?))
}

pub(crate) fn write_sized(output: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    write_length(output, bytes.len())?;
    output.extend_from_slice(bytes);
    Some(())
}

pub(crate) fn write_length(output: &mut Vec<u8>, length: usize) -> Option<()> {
    let mut length = u32::try_from(length).ok()?;
    while length >= 0x80 {
        output.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    output.push(length as u8);
    Some(())
}
