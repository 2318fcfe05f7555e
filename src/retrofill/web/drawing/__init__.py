"""Where things stand in pictures: geometry from plain values, in whole pixels, without any markup."""
