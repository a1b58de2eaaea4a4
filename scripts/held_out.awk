# Which lesions are held out, for scripts that make lists: fraction(its name) < the share that is to be.

BEGIN { for (held_i = 1; held_i < 256; held_i++) held_byte[sprintf("%c", held_i)] = held_i }

# In [0,1): a multiplicative generator over the bytes, turned on so that neighbouring names part.
function fraction(text,   h, i) {
    h = 1
    for (i = 1; i <= length(text); i++) h = (h + held_byte[substr(text, i, 1)]) * 48271 % 2147483647
    for (i = 0; i < 8; i++) h = (h + 12345) * 48271 % 2147483647
    return h / 2147483647
}
