"""Are settings learned? What people used next, and simulated people whose wishes are known."""
