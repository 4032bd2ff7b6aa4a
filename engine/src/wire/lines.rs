//! Lines of a file of events.

/// The lines that say something, with their numbers from `first` on; without their ends.
pub fn lines(block: &[u8], first: u64) -> impl Iterator<Item = (u64, &[u8])> {
    let numbered = (first..).zip(block.split(|&byte| byte == b'\n'));
    let told = numbered.filter(|(_, text)| !text.iter().all(|&byte| is_space(byte)));
    told.map(|(number, text)| (number, without_returns(text)))
}

/// White space of ASCII, as Python's `bytes.isspace` has it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn without_returns(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&byte| byte != b'\r').map_or(0, |last| last + 1);
    &text[..end]
}
