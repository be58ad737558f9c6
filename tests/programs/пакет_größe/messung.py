"""Funktionen, deren Namen Umlaute haben."""


class Maß:
    faktor = 3

    def über(self, wert):
        return wert * self.faktor


def größe(wert):
    return wert // 3 + len("größe")


def summe(rounds):
    maß, summe = Maß(), 0
    for i in range(rounds):
        summe += maß.über(größe(i)) & 0xFF
    return summe
