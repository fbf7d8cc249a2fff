//! TRACE shows everything but secrets (THREATS N9, K2).
