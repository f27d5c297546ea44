"""A CT series as a scanner would export it."""

import datetime

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

SPACING = (0.7, 0.8)  # between rows, between columns
THICKNESS = 2.5


def write_series(folder, voxels, orientation=(1, 0, 0, 0, 1, 0), origin=(-20.0, -30.0, 40.0)):
    """Write (K, J, I) int16 as one file per slice, names in no order; return the paths by slice."""
    folder.mkdir(parents=True, exist_ok=True)
    uids, normal = _uids(), np.cross(orientation[:3], orientation[3:])
    names = np.random.default_rng(3).permutation(len(voxels))
    paths = []
    for k, pixels in enumerate(voxels):
        dataset = _dataset(uids, pixels)
        dataset.InstanceNumber = k + 1
        dataset.ImageOrientationPatient = [f"{value:.6f}" for value in orientation]
        dataset.ImagePositionPatient = [f"{value:.6f}" for value in np.array(origin) + k * THICKNESS * normal]
        paths.append(folder / f"IM{names[k]:04d}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def write_enhanced(path, voxels, orientation=(1, 0, 0, 0, 1, 0), origin=(-20.0, -30.0, 40.0)):
    """Write (K, J, I) int16 as one Enhanced CT file whose frames have a place each."""
    dataset = _frames(voxels, EnhancedCTImageStorage)
    del dataset.PixelSpacing, dataset.SliceThickness
    normal = np.cross(orientation[:3], orientation[3:])
    rescale = _item(RescaleIntercept="0", RescaleSlope="1", RescaleType="HU")
    measures = _item(PixelSpacing=[str(each) for each in SPACING], SliceThickness=str(THICKNESS))
    dataset.SharedFunctionalGroupsSequence = [
        _item(
            PixelMeasuresSequence=[measures],
            PlaneOrientationSequence=[_item(ImageOrientationPatient=list(orientation))],
            PixelValueTransformationSequence=[rescale],
        )
    ]
    places = (np.array(origin) + k * THICKNESS * normal for k in range(len(voxels)))
    dataset.PerFrameFunctionalGroupsSequence = [
        _item(
            PlanePositionSequence=[_item(ImagePositionPatient=place.tolist())],
            FrameContentSequence=[_item(DimensionIndexValues=[1, k], StackID="1", InStackPositionNumber=k)],
        )
        for k, place in enumerate(places, 1)
    ]
    _add_dimensions(dataset)
    dataset.save_as(path, enforce_file_format=True)


def write_ultrasound(path, voxels):
    """Write (F, J, I) int16 as a picture, or a film of F frames, that has no place in the patient."""
    is_film = len(voxels) > 1
    dataset = _frames(voxels, UltrasoundMultiFrameImageStorage if is_film else UltrasoundImageStorage)
    del dataset.PixelSpacing, dataset.SliceThickness, dataset.FrameOfReferenceUID
    dataset.Modality = "US"
    dataset.save_as(path, enforce_file_format=True)


def _frames(voxels, storage):
    dataset = _dataset(_uids(), voxels[0])
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = storage
    dataset.NumberOfFrames = len(voxels)
    dataset.PixelData = np.ascontiguousarray(voxels, np.int16).tobytes()
    return dataset


def _add_dimensions(dataset):
    organization = generate_uid()
    dataset.DimensionOrganizationSequence = [_item(DimensionOrganizationUID=organization)]
    dataset.DimensionIndexSequence = [
        _item(
            DimensionOrganizationUID=organization,
            DimensionIndexPointer=pydicom.tag.Tag(keyword),
            FunctionalGroupPointer=pydicom.tag.Tag("FrameContentSequence"),
        )
        for keyword in ("StackID", "InStackPositionNumber")
    ]


def _item(**elements):
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def _uids():
    return {name: generate_uid() for name in ("study", "series", "frame")}


def _dataset(uids, pixels):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = uids["study"], uids["series"]
    dataset.FrameOfReferenceUID, dataset.Modality = uids["frame"], "CT"
    dataset.PatientName, dataset.PatientID = "Größe^Test", "P-1"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.AccessionNumber = "19700101", "O", "A1"
    dataset.StudyID, dataset.SeriesNumber, dataset.PositionReferenceIndicator = "1", 4, ""
    now = datetime.datetime(2026, 1, 2, 3, 4, 5)
    dataset.StudyDate, dataset.StudyTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelSpacing, dataset.SliceThickness = [str(each) for each in SPACING], str(THICKNESS)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.RescaleIntercept, dataset.RescaleSlope = "0", "1"
    dataset.PixelData = np.ascontiguousarray(pixels, np.int16).tobytes()
    return dataset


def read_pixels(path):
    """Pixels of a DICOM file."""
    return pydicom.dcmread(path).pixel_array
