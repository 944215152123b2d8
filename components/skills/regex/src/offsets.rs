//! Places in characters.

/// Turns byte offsets into counts of characters. Cheap where they ascend.
pub(crate) struct Offsets<'a> {
    text: &'a str,
    bytes: usize,
    characters: usize,
}

impl<'a> Offsets<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self { text, bytes: 0, characters: 0 }
    }

    /// How many characters are before the byte `offset`, which begins one.
    pub(crate) fn at(&mut self, offset: usize) -> usize {
        let count = |from: usize, to: usize| self.text.get(from..to).map_or(0, |part| part.chars().count());
        let characters = match offset >= self.bytes {
            true => self.characters + count(self.bytes, offset),
            false => self.characters - count(offset, self.bytes),
        };
        (self.bytes, self.characters) = (offset, characters);
        characters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_forth_and_back() {
        let text = "aä€😀b";
        let mut offsets = Offsets::of(text);
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        for from in &places {
            for to in &places {
                offsets.at(*from);
                assert_eq!(offsets.at(*to), text[..*to].chars().count());
            }
        }
    }
}
