"""Are LoRAs learned? What people used next, and simulated people of whom it is known which ones they need."""
