//! Absolute paths.

/// Whether the absolute path `path` names something in or below `folder` once
/// `.` and `..` are resolved by their text. Symbolic links cannot be seen from
/// here; the tool that opens the path has to confine them.
pub(crate) fn is_within(path: &str, folder: &str) -> bool {
    if !path.starts_with('/') || path.bytes().any(|byte| byte == 0) {
        return false;
    }
    let mut resolved = Vec::new();
    // Bytes: what lies between two slashes is whole characters.
    for segment in path.as_bytes().split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                resolved.pop();
            }
            name => resolved.push(name),
        }
    }
    let mut segments = resolved.into_iter();
    let mut names = folder.as_bytes().split(|byte| *byte == b'/').filter(|name| !name.is_empty());
    names.all(|name| segments.next() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_sees_through_dots() {
        let cases = [
            ("/work/a.txt", true),
            ("/work", true),
            ("/work/./b/../a.txt", true),
            ("/work/../etc/passwd", false),
            ("/workshop/a", false),
            ("/work//a", true),
            ("/etc/../work/a", true),
            ("work/a", false),
            ("../work/a", false),
            ("/work/\0", false),
            ("", false),
        ];
        for (path, expected) in cases {
            assert_eq!(is_within(path, "/work"), expected, "{path}");
        }
    }
}
