//! Absolute paths.

/// Whether the absolute path `path` names something in or below `folder` once
/// `.` and `..` are resolved by their text. Symbolic links cannot be seen from
/// here; the tool that opens the path has to confine them.
pub(crate) fn is_within(path: &str, folder: &str) -> bool {
    let (path, folder) = (path.as_bytes(), folder.as_bytes());
    if path.first() != Some(&b'/') || path.contains(&0) {
        return false;
    }
    // Most paths go down from the start, and need no list of their segments.
    let plain = path.windows(2).all(|two| two[0] != b'/' || (two[1] != b'/' && two[1] != b'.'));
    if plain && let Some(rest) = path.strip_prefix(folder) {
        return folder.last() == Some(&b'/') || rest.first().is_none_or(|byte| *byte == b'/');
    }
    let mut resolved = Vec::new();
    // Bytes: what lies between two slashes is whole characters.
    for segment in path.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                resolved.pop();
            }
            name => resolved.push(name),
        }
    }
    let mut segments = resolved.into_iter();
    let mut names = folder.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
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

    #[test]
    fn a_folder_may_be_written_in_several_ways() {
        let cases = [
            ("/", "/a", true),
            ("/", "/", true),
            ("/", "a", false),
            ("/work/", "/work/a", true),
            ("/work/", "/work", true),
            ("/work/", "/workshop", false),
            ("/work//src", "/work/src/a", true),
            ("/work//src", "/work//src", true),
            ("/work", "/work/.hidden", true),
            ("/work/.git", "/work/.git/config", true),
        ];
        for (folder, path, expected) in cases {
            assert_eq!(is_within(path, folder), expected, "{path} in {folder}");
        }
    }

    proptest::proptest! {
        /// However a path is written, what it names is what counts.
        #[test]
        fn dots_and_slashes_change_nothing(path in "/[ab./]{0,8}", folder in "(/[ab]{1,2}){1,2}/?") {
            let plain = |text: &str| {
                let mut names = Vec::new();
                for name in text.split('/') {
                    match name {
                        "" | "." => {}
                        ".." => drop(names.pop()),
                        name => names.push(name.to_owned()),
                    }
                }
                names
            };
            assert_eq!(is_within(&path, &folder), plain(&path).starts_with(&plain(&folder)), "{path} in {folder}");
        }
    }
}
