"""How time and room grow with what was taught: `python run.py bench scale`."""
