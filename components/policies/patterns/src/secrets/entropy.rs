//! How random a text looks.

/// Shannon entropy in bits a character, from the text's own frequencies, and a
/// least length. Twenty characters that are all different have 4.3 bits; hex
/// digits have at most 4, English words seldom 3.5 at this length.
#[derive(Debug)]
pub(crate) struct Measure {
    bits: f64,
    bytes_min: usize,
}

impl Measure {
    pub(crate) fn new(bits: Option<f64>, bytes_min: Option<usize>) -> Self {
        Self { bits: bits.unwrap_or(3.5), bytes_min: bytes_min.unwrap_or(20) }
    }

    /// Long and random enough, and more than a word: letters and digits.
    pub(crate) fn is_random(&self, text: &str) -> bool {
        let mixed =
            text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic());
        // Hex has fewer different characters, so less entropy for its length.
        let bits = if text.bytes().all(|byte| byte.is_ascii_hexdigit()) { self.bits - 0.5 } else { self.bits };
        mixed && text.len() >= self.bytes_min && !is_uuid(text) && shannon(text) >= bits
    }
}

/// Bits a character.
pub(crate) fn shannon(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = text.len() as f64;
    let share = |count: u32| f64::from(count) / total;
    -counts.iter().filter(|count| **count > 0).map(|count| share(*count) * share(*count).log2()).sum::<f64>()
}

/// Names of things, not secrets.
pub(crate) fn is_uuid(text: &str) -> bool {
    let hyphens = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match hyphens.contains(&at) {
            true => byte == b'-',
            false => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_in_bits_a_character() {
        assert_eq!(shannon("aaaa"), 0.0);
        assert_eq!(shannon("abab"), 1.0);
        assert_eq!(shannon("0123456789abcdef"), 4.0);
        let measure = Measure::new(None, None);
        assert!(measure.is_random("q7Rz0LmK2vXb9TcW4nYd"));
        assert!(!measure.is_random("q7Rz0LmK2vXb9TcW4nY"));
        assert!(!measure.is_random("aaaaaaaaaaaaaaaaaaa1"));
        assert!(!measure.is_random("123e4567-e89b-12d3-a456-426614174000"));
    }
}
